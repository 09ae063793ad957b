namespace Llama3Perf.Models.Onnx;

/// <summary>The initializers of a graph by name: sizes, and where in the external data they lie.</summary>
internal sealed class GraphTensors
{
    private readonly Dictionary<string, TensorProto> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ExternalRange> _ranges = new(StringComparer.Ordinal);

    public GraphTensors(string path, GraphProto graph)
    {
        foreach (TensorProto tensor in graph.Initializer)
        {
            _tensors.TryAdd(tensor.Name, tensor);
            if (OnnxFile.Range(path, tensor) is { } range)
            {
                _ranges.TryAdd(tensor.Name, range);
            }
        }
    }

    public IEnumerable<string> Names => _tensors.Keys;

    public bool Has(string name) => _tensors.ContainsKey(name);

    public TensorProto.Types.DataType Type(string name) => _tensors[name].DataType;

    public IReadOnlyList<long> Dims(string name) => _tensors[name].Dims;

    public long Elements(string name) => _tensors[name].Dims.Aggregate(1L, (product, dim) => checked(product * dim));

    public long Bytes(string name) =>
        _ranges.TryGetValue(name, out ExternalRange? range)
            ? range.Length
            : (long)((((Int128)Elements(name) * OnnxFile.BitSize(Type(name))) + 7) / 8);

    /// <summary>True when the tensor is another name for the bytes of one of these.</summary>
    public bool SharesBytes(string name, IEnumerable<string> others) =>
        _ranges.TryGetValue(name, out ExternalRange? range) && others.Any(other => _ranges.GetValueOrDefault(other) == range);

    /// <summary>Tensors of at least so many bytes whose data does not start on a multiple of <paramref name="alignment"/>.</summary>
    public IEnumerable<string> Unaligned(long bytes, int alignment) =>
        _ranges.Where(pair => pair.Value.Length >= bytes && pair.Value.Offset % alignment != 0).Select(pair => pair.Key);

    /// <summary>Bytes of the files that at least one chosen tensor lies in.</summary>
    public long CoveredBytes(Func<string, bool> chosen)
    {
        long total = 0;
        foreach (
            IGrouping<string, ExternalRange> file in _ranges
                .Where(pair => chosen(pair.Key))
                .Select(pair => pair.Value)
                .GroupBy(range => range.Location, StringComparer.Ordinal)
        )
        {
            long end = 0;
            foreach (ExternalRange range in file.OrderBy(range => range.Offset))
            {
                long from = Math.Max(end, range.Offset);
                end = Math.Max(end, range.Offset + range.Length);
                total += Math.Max(0, end - from);
            }
        }

        return total;
    }
}
