using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Building;

/// <summary>Fills one chunk of a tensor.</summary>
/// <param name="destination">The chunk's bytes.</param>
/// <param name="firstByte">Where the chunk starts in the tensor.</param>
/// <param name="seed">The chunk's own seed.</param>
internal delegate void ChunkFill(Span<byte> destination, long firstByte, ulong seed);

/// <summary>A tensor in the external data file.</summary>
/// <param name="Name">Initializer's name; its seed derives from it.</param>
/// <param name="Offset">First byte in the file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Fill">Makes the contents.</param>
internal sealed record ExternalTensor(string Name, long Offset, long Length, ChunkFill Fill);

/// <summary>Lays tensors out in one data file, in the order in which they are added.</summary>
internal sealed class DataLayout(string fileName)
{
    // Large tensors start on pages so that they can be mapped; small ones on cache lines.
    private const int PageBytes = 4096;
    private const int LineBytes = 64;

    private readonly List<ExternalTensor> _tensors = [];

    public IReadOnlyList<ExternalTensor> Tensors => _tensors;

    /// <summary>Bytes of the file.</summary>
    public long Length { get; private set; }

    /// <summary>Places a tensor and returns the initializer that refers to it.</summary>
    public TensorProto Add(string name, TensorProto.Types.DataType type, long[] dims, ChunkFill fill)
    {
        long bytes = dims.Aggregate((long)OnnxFile.BitSize(type), (product, dim) => checked(product * dim)) / 8;
        long alignment = bytes >= PageBytes ? PageBytes : LineBytes;
        long offset = (Length + alignment - 1) / alignment * alignment;
        _tensors.Add(new ExternalTensor(name, offset, bytes, fill));
        Length = offset + bytes;
        return Initializer(name, type, dims, offset, bytes);
    }

    /// <summary>A second initializer over the bytes of a tensor that was added before.</summary>
    public TensorProto Alias(string name, TensorProto.Types.DataType type, long[] dims, string existing)
    {
        ExternalTensor tensor = _tensors.Single(t => t.Name == existing);
        return Initializer(name, type, dims, tensor.Offset, tensor.Length);
    }

    private TensorProto Initializer(string name, TensorProto.Types.DataType type, long[] dims, long offset, long bytes) => new()
    {
        Name = name,
        DataType = type,
        Dims = { dims },
        DataLocation = TensorProto.Types.DataLocation.External,
        ExternalData =
        {
            new StringStringEntryProto { Key = "location", Value = fileName },
            new StringStringEntryProto { Key = "offset", Value = offset.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            new StringStringEntryProto { Key = "length", Value = bytes.ToString(System.Globalization.CultureInfo.InvariantCulture) },
        },
    };
}
