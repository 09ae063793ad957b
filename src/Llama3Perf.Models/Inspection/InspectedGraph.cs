using Llama3Perf.Models.Folders;
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
    private long _downInput;

    public InspectedGraph(ModelFolder folder, GraphFacts facts)
    {
        (_folder, Facts, _tensors, _paths) = (folder, facts, facts.Tensors, facts.Paths);
        // Products first: the embedding asks whether the LM head holds the same bytes.
        foreach (GraphProduct product in facts.Products)
        {
            AddProduct(product);
        }

        AddNorms();
        foreach (NodeProto node in Graph.Node)
        {
            AddEmbedding(node);
        }

        AddRotaryCaches();
        AddOthers();
    }

    public GraphFacts Facts { get; }

    public GraphProto Graph => Facts.Graph;

    public GraphTensors Tensors => _tensors;

    public bool IsTied { get; private set; }

    /// <summary>A Reshape or Transpose between a tied matrix and one of its two uses; ONNX Runtime folds it into a second copy.</summary>
    public string? TiedThrough { get; private set; }

    public bool HasBiases { get; private set; }

    public int IntermediateSize => (int)Math.Min(_downInput, int.MaxValue);

    public bool IsHalf => Facts.Activations == DataType.Float16;

    public string Activations => Short(Facts.Activations);

    /// <summary>Storage of keys and values: their type, <c>int4</c> and <c>int8</c> for integers with scales.</summary>
    public string Cache =>
        Facts.Caches.Count == 0 ? "none"
        : Facts.Caches[0] is { IsQuantized: true } cache ? $"int{cache.Bits}"
        : Short(Facts.Caches[0].Type);

    /// <summary>Bytes that keys and values of all layers take for one token.</summary>
    public long CacheBytesPerToken =>
        Facts.Caches.Sum(cache => (long)((Int128)_folder.KeyValueHeadCount * _folder.HeadSize * cache.Bits / 8));

    /// <summary>True when a Shape of the mask is computed, which ONNX Runtime does on the CPU.</summary>
    public bool TakesLengthFromMaskShape =>
        Graph.Node.Any(node => node.OpType == "Shape" && node.InputAt(0) == _folder.Names.AttentionMask);

    public long BytesPerToken { get; private set; }

    public IReadOnlyList<StoredWeights> Summarize() =>
        [
            .. _uses
                .GroupBy(use => (use.Class, use.Storage))
                .OrderBy(group => group.Key.Class)
                .Select(group => new StoredWeights(
                    group.Key.Class,
                    group.Key.Storage,
                    group.Sum(use => use.Parameters),
                    group.Sum(use => use.Bytes)
                )),
        ];

    /// <summary>Bytes of the external files that tensors with users lie in; overlaps count once.</summary>
    public long UsedExternalBytes() => _tensors.CoveredBytes(_paths.IsUsed);

    /// <summary>Names of the initializers that no node uses.</summary>
    public IEnumerable<string> Unused() => Graph.Initializer.Select(tensor => tensor.Name).Where(name => !_paths.IsUsed(name));

    // Two values of 4 bits are one byte of the cache; a whole byte can hold only 8.
    private void AddProduct(GraphProduct product)
    {
        NodeProto node = product.Node;
        WeightClass kind =
            _paths.GivesLogits(node) ? WeightClass.LmHead
            : _paths.TouchesAttention(node) ? WeightClass.Attention
            : WeightClass.Mlp;
        if (kind == WeightClass.Mlp)
        {
            // The last product of an MLP leads back to the hidden size.
            _downInput = product.K;
        }

        if (kind == WeightClass.LmHead)
        {
            TiedThrough = product.Through;
        }

        string[] parts = [.. product.Parts];
        string? bias = node.OpType switch
        {
            "MatMulNBits" => node.InputAt(5),
            "Gemm" => node.InputAt(2),
            _ => "",
        };
        bias = bias.Length > 0 ? bias : _paths.BiasOf(node, _tensors);
        long biases = 0;
        if (bias is not null && _tensors.Has(bias))
        {
            HasBiases = true;
            biases = _tensors.Elements(bias);
            parts = [.. parts, bias];
        }

        string storage = product.Bits is { } bits
            ? Quantized(bits, product.BlockSize, product.ZeroPoints is not null, product.Scales)
            : Short(_tensors.Type(product.Weight));
        BytesPerToken += Add(kind, storage, Times(product.K, product.N) + biases, parts);
    }

    private void AddNorms()
    {
        foreach (
            NodeProto node in Graph.Node.Where(node =>
                node.OpType.EndsWith("LayerNormalization", StringComparison.Ordinal) || node.OpType == "RMSNormalization"
            )
        )
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
        if (
            !(quantized || node.OpType == "Gather")
            || node.InputAt(1) != _folder.Names.InputIds
            || _paths.Stored(node.InputAt(0), _tensors) is not { } table
        )
        {
            return;
        }

        int bits = (int)Math.Clamp(node.Integer("bits") ?? 4, 1, 64);
        long parameters = quantized
            ? (long)((Int128)_tensors.Elements(table.Name) * OnnxFile.BitSize(_tensors.Type(table.Name)) / bits)
            : _tensors.Elements(table.Name);
        string storage = quantized
            ? Quantized(bits, node.Integer("block_size") ?? 128, node.InputAt(3).Length > 0, node.InputAt(2))
            : Short(_tensors.Type(table.Name));
        string[] parts = [table.Name, .. node.Input.Skip(2).Where(_tensors.Has)];
        BytesPerToken += parts.Sum(_tensors.Bytes) / _folder.VocabularySize;
        IsTied = _seen.Contains(table.Name) || _tensors.SharesBytes(table.Name, _seen);
        TiedThrough = IsTied ? table.Through ?? TiedThrough : null;
        if (IsTied)
        {
            _seen.UnionWith(parts);
            _uses.Add(new WeightUse(WeightClass.Embedding, $"{storage}, the LM head's", 0, 0));
            return;
        }

        Add(WeightClass.Embedding, storage, parameters, parts);
    }

    private void AddRotaryCaches()
    {
        foreach (string table in Facts.RotaryTables().Where(_tensors.Has))
        {
            Add(WeightClass.RotaryCaches, Short(_tensors.Type(table)), 0, [table]);
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
        _uses.Add(
            new WeightUse(
                kind,
                storage,
                isNew ? parameters : 0,
                (isNew ? _tensors.Bytes(tensors[0]) : 0) + tensors.Skip(1).Where(_seen.Add).Sum(_tensors.Bytes)
            )
        );
        return tensors.Sum(_tensors.Bytes);
    }

    private string Quantized(int bits, long block, bool asymmetric, string? scales) =>
        $"int{bits} b{block} "
        + $"{(asymmetric ? "asymmetric" : "symmetric")}"
        + $"{(scales is not null && _tensors.Has(scales) ? $", {Short(_tensors.Type(scales))} scales" : "")}";

    // Attributes of a node are anybody's numbers.
    private static long Times(long k, long n) => (long)Int128.Clamp((Int128)k * n, 0, long.MaxValue / 4);

    private static string Short(DataType type) =>
        type switch
        {
            DataType.Float => "fp32",
            DataType.Float16 => "fp16",
            DataType.Bfloat16 => "bf16",
            _ => type.Name(),
        };

    private sealed record WeightUse(WeightClass Class, string Storage, long Parameters, long Bytes);
}
