using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Inspection;

/// <summary>
/// A decoder graph taken apart by structure, not by names: what each stored tensor is for follows from the nodes that use it.
/// </summary>
internal sealed class InspectedGraph
{
    private readonly ModelFolder _folder;
    private readonly GraphTensors _tensors;
    private readonly GraphPaths _paths;
    private readonly List<WeightUse> _uses = [];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private int _downInput;

    public InspectedGraph(ModelFolder folder, GraphProto graph)
    {
        (_folder, Graph) = (folder, graph);
        _tensors = new GraphTensors(folder.GraphPath, graph);
        _paths = new GraphPaths(graph, folder.Names.Logits);
        // Products first: the embedding asks whether the LM head holds the same bytes.
        Visit(AddProduct);
        AddNorms();
        Visit(AddEmbedding);
        AddRotaryCaches();
        AddOthers();
    }

    public GraphProto Graph { get; }

    public GraphTensors Tensors => _tensors;

    public bool IsTied { get; private set; }

    /// <summary>A Reshape or Transpose between a tied matrix and the embedding; ONNX Runtime folds it into a second copy.</summary>
    public string? TiedThrough { get; private set; }

    public bool HasBiases { get; private set; }

    public int IntermediateSize => _downInput;

    public bool IsHalf => CacheType == DataType.Float16;

    public string Activations => Short(CacheType);

    public int CacheElementBytes => OnnxFile.BitSize(CacheType) / 8;

    /// <summary>True when a Shape of the mask is computed, which ONNX Runtime does on the CPU.</summary>
    public bool TakesLengthFromMaskShape => Graph.Node.Any(node => node.OpType == "Shape" && node.Input[0] == _folder.Names.AttentionMask);

    /// <summary>Rows of the shorter rotary cache, or null when there is none.</summary>
    public long? RotaryRows { get; private set; }

    public long BytesPerToken { get; private set; }

    private DataType CacheType => Graph.Input.First(input => input.Name == _folder.Names.PastKey.Replace("%d", "0", StringComparison.Ordinal)).Type.TensorType.ElemType;

    public IReadOnlyList<StoredWeights> Summarize() =>
    [
        .. _uses.GroupBy(use => (use.Class, use.Storage)).OrderBy(group => group.Key.Class)
            .Select(group => new StoredWeights(group.Key.Class, group.Key.Storage, group.Sum(use => use.Parameters), group.Sum(use => use.Bytes))),
    ];

    /// <summary>Bytes of the external files that tensors with users lie in; overlaps count once.</summary>
    public long UsedExternalBytes() => _tensors.CoveredBytes(_paths.IsUsed);

    /// <summary>Names of the initializers that no node uses.</summary>
    public IEnumerable<string> Unused() => Graph.Initializer.Select(tensor => tensor.Name).Where(name => !_paths.IsUsed(name));

    private void Visit(Action<NodeProto> add)
    {
        foreach (NodeProto node in Graph.Node)
        {
            add(node);
        }
    }

    private void AddProduct(NodeProto node)
    {
        if (node.OpType is not ("MatMul" or "Gemm" or "MatMulNBits") || node.Input.Count < 2 || !_tensors.Has(node.Input[1]))
        {
            return;
        }

        WeightClass kind = _paths.GivesLogits(node) ? WeightClass.LmHead : _paths.TouchesAttention(node) ? WeightClass.Attention : WeightClass.Mlp;
        bool quantized = node.OpType == "MatMulNBits";
        bool transposed = node.OpType == "Gemm" && node.Integer("transB") == 1;
        IReadOnlyList<long> dims = _tensors.Dims(node.Input[1]);
        long k = quantized ? node.Integer("K") ?? 0 : dims[transposed ? 1 : 0];
        long n = quantized ? node.Integer("N") ?? 0 : dims[transposed ? 0 : 1];
        if (kind == WeightClass.Mlp)
        {
            // The last product of an MLP leads back to the hidden size.
            _downInput = (int)k;
        }

        string[] parts = [.. node.Input.Skip(1).Take(quantized ? 3 : 1).Where(_tensors.Has)];
        string? bias = quantized ? node.Input.ElementAtOrDefault(5) : node.OpType == "Gemm" ? node.Input.ElementAtOrDefault(2) : null;
        bias = bias is { Length: > 0 } ? bias : _paths.BiasOf(node, _tensors);
        long biases = 0;
        if (bias is not null && _tensors.Has(bias))
        {
            HasBiases = true;
            biases = _tensors.Elements(bias);
            parts = [.. parts, bias];
        }

        string storage = quantized ? Quantized(node, scales: 2, zeros: 3) : Short(_tensors.Type(node.Input[1]));
        long bytes = Add(kind, storage, (k * n) + biases, parts);
        BytesPerToken += bytes;
    }

    private void AddNorms()
    {
        foreach (NodeProto node in Graph.Node.Where(node => node.OpType.EndsWith("LayerNormalization", StringComparison.Ordinal) || node.OpType == "RMSNormalization"))
        {
            int first = node.OpType.StartsWith("Skip", StringComparison.Ordinal) ? 2 : 1;
            foreach (string weight in node.Input.Skip(first).Where(_tensors.Has))
            {
                BytesPerToken += Add(WeightClass.Norms, Short(_tensors.Type(weight)), _tensors.Elements(weight), [weight]);
            }
        }
    }

    private void AddEmbedding(NodeProto node)
    {
        bool quantized = node.OpType == "GatherBlockQuantized";
        if (!(quantized || node.OpType == "Gather") || node.Input[1] != _folder.Names.InputIds || _paths.Stored(node.Input[0], _tensors) is not { } table)
        {
            return;
        }

        long parameters = quantized
            ? _tensors.Elements(table.Name) * OnnxFile.BitSize(_tensors.Type(table.Name)) / (node.Integer("bits") ?? 4)
            : _tensors.Elements(table.Name);
        string storage = quantized ? Quantized(node, scales: 2, zeros: 3) : Short(_tensors.Type(table.Name));
        string[] parts = [table.Name, .. node.Input.Skip(2).Where(_tensors.Has)];
        BytesPerToken += parts.Sum(_tensors.Bytes) / _folder.VocabularySize;
        IsTied = _seen.Contains(table.Name) || _tensors.SharesBytes(table.Name, _seen);
        if (IsTied)
        {
            TiedThrough = table.Through;
            _seen.UnionWith(parts);
            _uses.Add(new WeightUse(WeightClass.Embedding, $"{storage}, the LM head's", 0, 0));
            return;
        }

        Add(WeightClass.Embedding, storage, parameters, parts);
    }

    private void AddRotaryCaches()
    {
        IEnumerable<string> caches = Graph.Node.SelectMany(node => node.OpType switch
        {
            "GroupQueryAttention" => node.Input.Skip(7).Take(2),
            "RotaryEmbedding" => node.Input.Skip(2).Take(2),
            _ => [],
        });
        foreach (string cache in caches.Where(_tensors.Has).Distinct(StringComparer.Ordinal))
        {
            RotaryRows = Math.Min(RotaryRows ?? long.MaxValue, _tensors.Dims(cache)[0]);
            Add(WeightClass.RotaryCaches, Short(_tensors.Type(cache)), 0, [cache]);
        }
    }

    private void AddOthers()
    {
        foreach (TensorProto tensor in Graph.Initializer.Where(tensor => _paths.IsUsed(tensor.Name) && !_seen.Contains(tensor.Name)))
        {
            bool isNumber = tensor.DataType is DataType.Float or DataType.Float16 or DataType.Bfloat16 or DataType.Double;
            Add(WeightClass.Other, Short(tensor.DataType), isNumber ? _tensors.Elements(tensor.Name) : 0, [tensor.Name]);
        }
    }

    /// <summary>Counts tensors that were not counted before; returns the bytes of all of them.</summary>
    private long Add(WeightClass kind, string storage, long parameters, string[] tensors)
    {
        bool isNew = _seen.Add(tensors[0]);
        _uses.Add(new WeightUse(kind, storage, isNew ? parameters : 0, (isNew ? _tensors.Bytes(tensors[0]) : 0) + tensors.Skip(1).Where(_seen.Add).Sum(_tensors.Bytes)));
        return tensors.Sum(_tensors.Bytes);
    }

    private string Quantized(NodeProto node, int scales, int zeros)
    {
        bool asymmetric = node.Input.ElementAtOrDefault(zeros) is { Length: > 0 };
        string scaleType = node.Input.ElementAtOrDefault(scales) is { } name && _tensors.Has(name) ? $", {Short(_tensors.Type(name))} scales" : "";
        return $"int{node.Integer("bits") ?? 4} b{node.Integer("block_size") ?? 128} {(asymmetric ? "asymmetric" : "symmetric")}{scaleType}";
    }

    private static string Short(DataType type) => type switch
    {
        DataType.Float => "fp32",
        DataType.Float16 => "fp16",
        DataType.Bfloat16 => "bf16",
        _ => type.Name(),
    };

    private sealed record WeightUse(WeightClass Class, string Storage, long Parameters, long Bytes);
}
