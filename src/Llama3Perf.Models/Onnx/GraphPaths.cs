namespace Llama3Perf.Models.Onnx;

/// <summary>
/// Who uses and who makes each value of a graph, and what lies behind operators that only move, scale or rename numbers. Built in time
/// that grows with the graph, whatever its form.
/// </summary>
internal sealed class GraphPaths
{
    private static readonly HashSet<string> s_moving =
    [
        "Cast",
        "Concat",
        "Expand",
        "Identity",
        "Reshape",
        "RotaryEmbedding",
        "Slice",
        "Split",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    ];

    // Biases, scales and caps of logits, and the norms of queries and keys.
    private static readonly HashSet<string> s_pointwise =
    [
        .. s_moving,
        "Add",
        "Clip",
        "Div",
        "Mul",
        "Softcap",
        "Tanh",
        "LayerNormalization",
        "LpNormalization",
        "RMSNormalization",
        "SimplifiedLayerNormalization",
    ];

    private readonly Dictionary<string, NodeProto> _makers = new(StringComparer.Ordinal);
    private readonly ILookup<string, NodeProto> _users;
    private readonly HashSet<string> _used;
    private readonly HashSet<string> _leadsToLogits;
    private readonly HashSet<string> _leadsToAttention;
    private readonly HashSet<string> _comesFromAttention = new(StringComparer.Ordinal);

    public GraphPaths(GraphProto graph, string logits)
    {
        foreach (NodeProto node in graph.Node)
        {
            foreach (string output in node.Output.Where(name => name.Length > 0))
            {
                _makers.TryAdd(output, node);
            }
        }

        _users = graph
            .Node.SelectMany(node => node.Input, (node, input) => (node, input))
            .ToLookup(pair => pair.input, pair => pair.node, StringComparer.Ordinal);
        _used = [.. graph.Node.SelectMany(Needs), .. graph.Output.Select(output => output.Name)];
        _leadsToLogits = Sources([logits]);
        _leadsToAttention = Sources(graph.Node.Where(IsAttention).SelectMany(node => node.Input));
        Follow(graph.Node.Where(IsAttention).SelectMany(node => node.Output.Take(1)));
    }

    public bool IsUsed(string name) => _used.Contains(name);

    /// <summary>The node that makes a value, or null.</summary>
    public NodeProto? Maker(string name) => _makers.GetValueOrDefault(name);

    public bool GivesLogits(NodeProto node) => node.Output.Any(_leadsToLogits.Contains);

    /// <summary>True when the product's result goes into an attention, or its input comes out of one.</summary>
    public bool TouchesAttention(NodeProto node) =>
        _comesFromAttention.Contains(node.InputAt(0)) || node.Output.Any(_leadsToAttention.Contains);

    /// <summary>The one-dimensional tensor that is added to a product's result, or null.</summary>
    public string? BiasOf(NodeProto product, GraphTensors tensors) =>
        product
            .Output.Take(1)
            .SelectMany(output => _users[output])
            .Where(node => node.OpType == "Add")
            .SelectMany(node => node.Input)
            .FirstOrDefault(input => tensors.Has(input) && tensors.Dims(input).Count == 1);

    /// <summary>The stored tensor behind a value, and the operator between, if there is one.</summary>
    public (string Name, string? Through)? Stored(string name, GraphTensors tensors) =>
        tensors.Has(name) ? (name, null)
        : Maker(name) is { OpType: "Reshape" or "Transpose" } maker && tensors.Has(maker.InputAt(0)) ? (maker.InputAt(0), maker.OpType)
        : null;

    /// <summary>The node whose result arrives at a value after nothing but moving, scaling and norms; null where a graph input
    /// does.</summary>
    public NodeProto? Origin(string name)
    {
        HashSet<string> visited = new(StringComparer.Ordinal);
        while (visited.Add(name) && Maker(name) is { } maker)
        {
            if (!s_pointwise.Contains(maker.OpType))
            {
                return maker;
            }

            name = maker.InputAt(0);
        }

        return null;
    }

    /// <summary>Names of the values that a node needs, those of its inner graphs among them.</summary>
    public static IEnumerable<string> Needs(NodeProto node) =>
        node
            .Input.Concat(node.Attribute.Where(attribute => attribute.G is not null).SelectMany(attribute => Outer(attribute.G)))
            .Where(name => name.Length > 0);

    /// <summary>True for a node that computes attention.</summary>
    public static bool IsAttention(NodeProto node) =>
        node.OpType is "GroupQueryAttention" or "MultiHeadAttention" or "Attention" or "PagedAttention";

    private static IEnumerable<string> Outer(GraphProto graph)
    {
        HashSet<string> own =
        [
            .. graph.Node.SelectMany(node => node.Output),
            .. graph.Initializer.Select(tensor => tensor.Name),
            .. graph.Input.Select(input => input.Name),
        ];
        return graph.Node.SelectMany(Needs).Where(name => !own.Contains(name));
    }

    /// <summary>The values that arrive at some others.</summary>
    private HashSet<string> Sources(IEnumerable<string> goals)
    {
        HashSet<string> found = [.. goals.Where(name => name.Length > 0)];
        Stack<string> left = new(found);
        while (left.TryPop(out string? value))
        {
            foreach (
                string input in Maker(value) is { } maker && s_pointwise.Contains(maker.OpType)
                    ? maker.Input.Where(name => name.Length > 0 && found.Add(name))
                    : []
            )
            {
                left.Push(input);
            }
        }

        return found;
    }

    private void Follow(IEnumerable<string> starts)
    {
        Stack<string> left = new(starts.Where(name => name.Length > 0));
        while (left.TryPop(out string? value))
        {
            if (_comesFromAttention.Add(value))
            {
                foreach (
                    string output in _users[value]
                        .Where(user => s_moving.Contains(user.OpType) && user.InputAt(0) == value)
                        .SelectMany(user => user.Output)
                        .Where(name => name.Length > 0)
                )
                {
                    left.Push(output);
                }
            }
        }
    }
}
