using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;
using Microsoft.Win32.SafeHandles;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Converting;

/// <summary>The tensors of a model folder's graph, read from its external data a part at a time.</summary>
internal sealed class OnnxWeights
{
    private readonly string _graph;
    private readonly string _folder;
    private readonly Dictionary<string, TensorProto> _tensors;

    public OnnxWeights(ModelFolder folder)
    {
        (_graph, _folder) = (folder.GraphPath, Path.GetDirectoryName(folder.GraphPath)!);
        _tensors = OnnxFile
            .Read(folder.GraphPath)
            .Graph.Initializer.GroupBy(tensor => tensor.Name, StringComparer.Ordinal)
            .ToDictionary(same => same.Key, same => same.First(), StringComparer.Ordinal);
    }

    public bool Has(string name) => _tensors.ContainsKey(name);

    /// <summary>A tensor, checked: of one of these types and exactly these sizes, and as long as they say.</summary>
    /// <exception cref="ModelException">It is missing or another one.</exception>
    public OnnxTensor Get(string name, DataType[] types, params long[] dims)
    {
        if (!_tensors.TryGetValue(name, out TensorProto? tensor))
        {
            throw new ModelException($"{_graph} has no tensor '{name}': it is not as this suite builds graphs. Build the folder again.");
        }

        long bytes = dims.Aggregate((long)OnnxFile.BitSize(tensor.DataType), (product, dim) => checked(product * dim)) / 8;
        return
            types.Contains(tensor.DataType)
            && tensor.Dims.SequenceEqual(dims)
            && OnnxFile.Range(_graph, tensor) is { } range
            && range.Length == bytes
            ? new OnnxTensor(name, tensor.DataType, Path.Combine(_folder, range.Location), range.Offset, bytes)
            : throw new ModelException(
                $"{_graph}: tensor '{name}' is {tensor.DataType} [{string.Join(", ", tensor.Dims)}], expected "
                    + $"{string.Join(" or ", types)} [{string.Join(", ", dims)}] in a file beside the graph. Build the folder again."
            );
    }

    /// <summary>Sizes of a tensor.</summary>
    public IReadOnlyList<long> Dims(string name) => _tensors[name].Dims;
}

/// <summary>A tensor's bytes.</summary>
/// <param name="Name">Name in the graph.</param>
/// <param name="Type">Type of its elements.</param>
/// <param name="File">The file that it lies in.</param>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes.</param>
internal sealed record OnnxTensor(string Name, DataType Type, string File, long Offset, long Length)
{
    /// <summary>Bytes of an element.</summary>
    public int Size => OnnxFile.BitSize(Type) / 8;

    /// <summary>Fills memory from a place in the tensor.</summary>
    /// <exception cref="ModelException">The file cannot be read.</exception>
    public void Read(Span<byte> bytes, long firstByte)
    {
        try
        {
            using SafeFileHandle file = System.IO.File.OpenHandle(File);
            SafetensorsFile.ReadAll(file, bytes, Offset + firstByte);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{File} cannot be read: {Shown.Text(e.Message)}", e);
        }
    }

    /// <summary>Fills memory from places that lie <paramref name="stride"/> bytes apart.</summary>
    /// <param name="bytes">As many runs, one behind the other.</param>
    /// <param name="run">Bytes of a run.</param>
    /// <param name="firstByte">Where the first run begins in the tensor.</param>
    /// <param name="stride">From the beginning of a run to that of the next.</param>
    /// <exception cref="ModelException">The file cannot be read.</exception>
    public void ReadRuns(Span<byte> bytes, int run, long firstByte, long stride)
    {
        try
        {
            using SafeFileHandle file = System.IO.File.OpenHandle(File);
            for (; bytes.Length > 0; bytes = bytes[run..], firstByte += stride)
            {
                SafetensorsFile.ReadAll(file, bytes[..run], Offset + firstByte);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"{File} cannot be read: {Shown.Text(e.Message)}", e);
        }
    }

    /// <summary>Values of float32 or float16 as float32.</summary>
    /// <param name="bytes">What was read.</param>
    /// <param name="values">As many values.</param>
    public void Widen(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        if (Type == DataType.Float16)
        {
            TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), values);
        }
        else
        {
            MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values);
        }
    }
}
