using System.Globalization;
using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Weights;

/// <summary>A tensor in the external data file.</summary>
/// <param name="Name">Initializer's name.</param>
/// <param name="Type">Type of an element.</param>
/// <param name="Dims">Sizes, as the graph sees them.</param>
/// <param name="Offset">First byte in the file.</param>
/// <param name="Length">Bytes.</param>
internal sealed record ExternalTensor(string Name, DataType Type, IReadOnlyList<long> Dims, long Offset, long Length)
{
    /// <summary>The initializer that refers to it.</summary>
    public TensorProto Initializer(string fileName) =>
        new()
        {
            Name = Name,
            DataType = Type,
            Dims = { Dims },
            DataLocation = DataLocation.External,
            ExternalData =
            {
                new StringStringEntryProto { Key = "location", Value = fileName },
                new StringStringEntryProto { Key = "offset", Value = Offset.ToString(CultureInfo.InvariantCulture) },
                new StringStringEntryProto { Key = "length", Value = Length.ToString(CultureInfo.InvariantCulture) },
            },
        };
}

/// <summary>Lays tensors out in one data file, in the order in which they are added, and gathers the work that fills them.</summary>
internal sealed class DataLayout(string fileName)
{
    // Large tensors start on pages so that they can be mapped; small ones on cache lines.
    private const int PageBytes = 4096;
    private const int LineBytes = 64;

    private readonly List<ExternalTensor> _tensors = [];
    private readonly List<IEnumerable<Piece>> _work = [];

    public IReadOnlyList<ExternalTensor> Tensors => _tensors;

    /// <summary>All work, in file order; made as it is asked for.</summary>
    public IEnumerable<Piece> Pieces => _work.SelectMany(pieces => pieces);

    /// <summary>Bytes of the file.</summary>
    public long Length { get; private set; }

    /// <summary>Places a tensor. Who adds it also adds the work that fills it.</summary>
    public ExternalTensor Add(string name, DataType type, params long[] dims)
    {
        long bytes = dims.Aggregate((long)OnnxFile.BitSize(type), (product, dim) => checked(product * dim)) / 8;
        long alignment = bytes >= PageBytes ? PageBytes : LineBytes;
        long offset = (Length + alignment - 1) / alignment * alignment;
        var tensor = new ExternalTensor(name, type, dims, offset, bytes);
        _tensors.Add(tensor);
        Length = offset + bytes;
        return tensor;
    }

    /// <summary>Adds work that fills places.</summary>
    public void Fill(IEnumerable<Piece> pieces) => _work.Add(pieces);

    /// <summary>The initializer that refers to a place.</summary>
    public TensorProto Initializer(ExternalTensor tensor) => tensor.Initializer(fileName);

    /// <summary>A second initializer over the bytes of a tensor that was added before.</summary>
    public TensorProto Alias(string name, DataType type, long[] dims, string existing) =>
        Initializer(_tensors.Single(t => t.Name == existing) with { Name = name, Type = type, Dims = dims });
}
