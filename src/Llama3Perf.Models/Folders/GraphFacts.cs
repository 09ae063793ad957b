using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Folders;

/// <summary>What a decoder graph says about itself: storage of its matrix weights, form of its attention, type of its activations and
/// cache, needs.</summary>
internal sealed class GraphFacts
{
    /// <summary>Attribute of MatMulNBits.</summary>
    public const string AccuracyLevel = "accuracy_level";

    private readonly string _path;
    private readonly NodeProto[] _attentions;
    private readonly HashSet<string> _cacheNames;

    /// <param name="path">The graph's file, for messages.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="names">Its inputs and outputs.</param>
    public GraphFacts(string path, GraphProto graph, DecoderNames names)
    {
        (_path, Graph, Names) = (path, graph, names);
        Tensors = new GraphTensors(path, graph);
        Paths = new GraphPaths(graph, names.Logits);
        Products = [.. GraphProduct.All(graph, Paths, Tensors)];
        _attentions = [.. graph.Node.Where(GraphPaths.IsAttention)];
        Caches = CacheInput.All(graph, names);
        _cacheNames = [.. Caches.Select(cache => cache.Name)];
    }

    public GraphProto Graph { get; }

    public DecoderNames Names { get; }

    public GraphTensors Tensors { get; }

    public GraphPaths Paths { get; }

    public IReadOnlyList<GraphProduct> Products { get; }

    /// <summary>The graph's inputs of keys and values.</summary>
    public IReadOnlyList<CacheInput> Caches { get; }

    /// <summary>Nodes that compute attention.</summary>
    public IReadOnlyList<NodeProto> Attentions => _attentions;

    /// <summary>The type that products compute with, most of them: that of their scales or weights, and never that of the cache.</summary>
    public DataType Activations => MostCommon(Products.Select(product => Tensors.Type(product.Scales ?? product.Weight)));

    /// <summary>What is computed with.</summary>
    public GraphArithmetic Arithmetic =>
        new(
            Activations switch
            {
                DataType.Float16 => "fp16",
                DataType.Bfloat16 => "bf16",
                _ => "fp32",
            },
            Products.Any(product => product.Bits is not null && (product.Node.OpType != "MatMulNBits" || RoundsActivations(product.Node))),
            Caches.FirstOrDefault(cache => cache.IsQuantized)?.Bits
        );

    /// <summary>Whether a MatMulNBits asks for activations of 8 bits.</summary>
    public static bool RoundsActivations(NodeProto node) => node.Integer(AccuracyLevel) >= 4;

    /// <summary>
    /// Where the rotation is computed, and whether the cache grows: only GroupQueryAttention appends in place. One that rotates is the
    /// standard form whatever else rotates beside it; without that, rotary nodes are DirectML's.
    /// </summary>
    public GraphFamily Family =>
        Graph.Node.Any(node =>
            node.OpType is not ("GroupQueryAttention" or "PagedAttention" or "Shape") && node.Input.Any(_cacheNames.Contains)
        )
            ? GraphFamily.Growing
        : Graph.Node.Any(node => node.OpType == "RotaryEmbedding")
        && !_attentions.Any(node => node.OpType == "GroupQueryAttention" && node.Integer("do_rotary") == 1)
            ? GraphFamily.DirectML
        : GraphFamily.Standard;

    /// <summary>The longest sequence that an <c>If</c> gives the short rotary tables; null where there is only one table.</summary>
    public long? LongRopeLength => RotaryTables().SelectMany(BranchRows).Select(rows => (long?)rows).Min();

    /// <summary>Rows of the shortest rotary table that is for all lengths; of the longest where the length chooses.</summary>
    public long? RotaryRows =>
        Min(
            RotaryTables()
                .Select(table =>
                    Tensors.Has(table) && Tensors.Dims(table) is [var rows, ..] ? rows : BranchRows(table).Select(rows => (long?)rows).Max()
                )
        );

    /// <summary>Names of the tables of cosines and sines.</summary>
    public IEnumerable<string> RotaryTables() =>
        Graph
            .Node.SelectMany(node =>
                node.OpType switch
                {
                    "GroupQueryAttention" => new[] { node.InputAt(7), node.InputAt(8) },
                    "RotaryEmbedding" => [node.InputAt(2), node.InputAt(3)],
                    _ => [],
                }
            )
            .Where(name => name.Length > 0)
            .Distinct(StringComparer.Ordinal);

    /// <summary>The narrowest window of the attentions; null where all see everything.</summary>
    public long? Window => Min(_attentions.Select(node => node.Integer("local_window_size") is > 0 and var size ? (long?)size : null));

    /// <summary>How most of the matrix weights are stored. The LM head may differ in mixed exports; the layers decide.</summary>
    /// <exception cref="ModelException">No matrix product with stored weights, or a storage outside <see cref="Precision"/>.</exception>
    public (Precision Precision, int? BlockSize) Weights()
    {
        if (Products.Count == 0)
        {
            throw new ModelException(
                $"{_path} has no MatMul or MatMulNBits with stored weights: it is not a decoder graph that is known here."
            );
        }

        GraphProduct[] quantized = [.. Products.Where(product => product.Bits is not null)];
        if (quantized.Length > 0)
        {
            (int? bits, int block) = MostCommon(quantized.Select(product => (product.Bits, product.BlockSize)));
            return (
                bits switch
                {
                    4 => Precision.Int4,
                    8 => Precision.Int8,
                    _ => throw new ModelException($"{_path} stores {bits}-bit weights; 4 and 8 bits are known."),
                },
                block
            );
        }

        return (
            MostCommon(Products.Select(product => Tensors.Type(product.Weight))) switch
            {
                DataType.Float => Precision.Fp32,
                DataType.Float16 => Precision.Fp16,
                DataType other => throw new ModelException($"{_path} stores {other} weights; float32, float16, 8 and 4 bits are known."),
            },
            null
        );
    }

    /// <summary>What the graph needs beside its family.</summary>
    /// <param name="sharesBuffers">Whether genai_config.json wants past and present in one buffer.</param>
    public IEnumerable<GraphNeed> Needs(bool sharesBuffers)
    {
        string[] missing = [.. Missing()];
        string[] unknown = [.. Graph.Input.Select(input => input.Name).Except(Tensors.Names).Except(Known())];
        bool isGrouped = _attentions.Any(node => node.OpType == "GroupQueryAttention");
        (bool IsNeeded, GraphNeed Need)[] rows =
        [
            (missing.Length > 0, GraphNeeds.Missing(missing)),
            (_attentions.Any(node => node.OpType == "PagedAttention"), GraphNeeds.Paging),
            (Products.Any(product => product.Node.Integer("weight_prepacked") is > 0), GraphNeeds.PrepackedWeights),
            (Activations == DataType.Bfloat16 || Caches.Any(cache => cache.Type == DataType.Bfloat16), GraphNeeds.BFloat16),
            (Caches.Any(cache => cache.IsQuantized), GraphNeeds.QuantizedCache),
            (isGrouped && Caches.Any(cache => cache.Type == DataType.Float), GraphNeeds.FloatCache),
            (Graph.Node.Any(node => node.OpType == "GatherBlockQuantized"), GraphNeeds.QuantizedEmbedding),
            (Activations == DataType.Float && Products.Any(product => product.Bits is not null), GraphNeeds.FloatActivations),
            (Products.Any(product => product.Bits is not null && product.Node.OpType != "MatMulNBits"), GraphNeeds.QdqWeights),
            (_attentions.Any(node => node.Integer("sliding_window_cache") is > 0), GraphNeeds.WindowCache),
            (_attentions.Any(node => node.Integer("local_window_size") is > 0), GraphNeeds.Window),
            (LongRopeLength is not null, GraphNeeds.LongRope),
            (Family == GraphFamily.Growing && Caches.Any(cache => cache.Type == DataType.Float16), GraphNeeds.HalfGrowingCache),
            (Family == GraphFamily.Growing && sharesBuffers, GraphNeeds.ContradictorySharing),
            (unknown.Length > 0, GraphNeeds.Inputs(unknown)),
        ];
        return rows.Where(row => row.IsNeeded).Select(row => row.Need);
    }

    /// <summary>Names of values that a node or an output of the graph wants and that nothing gives.</summary>
    public IEnumerable<string> Missing()
    {
        HashSet<string> given =
        [
            .. Graph.Node.SelectMany(node => node.Output),
            .. Graph.Input.Select(input => input.Name),
            .. Tensors.Names,
        ];
        return Graph
            .Node.SelectMany(GraphPaths.Needs)
            .Concat(Graph.Output.Select(output => output.Name))
            .Where(name => !given.Contains(name))
            .Distinct(StringComparer.Ordinal);
    }

    private IEnumerable<string> Known() =>
        [
            Names.InputIds,
            Names.AttentionMask,
            .. Names.PositionIds is { } positions ? new[] { positions } : [],
            .. Caches.Select(cache => cache.Name),
        ];

    private IEnumerable<long> BranchRows(string table)
    {
        if (Tensors.Has(table) || Paths.Maker(table) is not { OpType: "If" } choice)
        {
            return [];
        }

        int index = choice.Output.IndexOf(table);
        return choice
            .Attribute.Where(attribute => attribute.G is not null && index < attribute.G.Output.Count)
            .Select(attribute => attribute.G.Output[index].Type?.TensorType?.Shape?.Dim is [{ DimValue: > 0 } rows, ..] ? rows.DimValue : 0)
            .Where(rows => rows > 0);
    }

    private static long? Min(IEnumerable<long?> values) => values.Min();

    private static T MostCommon<T>(IEnumerable<T> values)
        where T : notnull => values.CountBy(value => value).MaxBy(pair => pair.Value).Key;
}
