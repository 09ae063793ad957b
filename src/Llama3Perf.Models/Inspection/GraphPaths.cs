using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Inspection;

/// <summary>Who uses and who makes each value of a graph, and what lies behind operators that only move or rename numbers.</summary>
internal sealed class GraphPaths
{
    private static readonly HashSet<string> s_plumbing =
        ["Add", "Cast", "Concat", "Expand", "Identity", "Mul", "Reshape", "RotaryEmbedding", "Slice", "Softcap", "Split", "Squeeze", "Transpose", "Unsqueeze"];

    private readonly Dictionary<string, NodeProto> _makers = new(StringComparer.Ordinal);
    private readonly ILookup<string, NodeProto> _users;
    private readonly HashSet<string> _used;
    private readonly string _logits;

    public GraphPaths(GraphProto graph, string logits)
    {
        _logits = logits;
        foreach (NodeProto node in graph.Node)
        {
            foreach (string output in node.Output.Where(name => name.Length > 0))
            {
                _makers.TryAdd(output, node);
            }
        }

        _users = graph.Node.SelectMany(node => node.Input, (node, input) => (node, input)).ToLookup(pair => pair.input, pair => pair.node, StringComparer.Ordinal);
        _used = [.. Names(graph), .. graph.Output.Select(output => output.Name)];
    }

    public bool IsUsed(string name) => _used.Contains(name);

    public bool GivesLogits(NodeProto node) => Reaches(node.Output[0], _ => false, name => name == _logits);

    /// <summary>True when the product's result goes into an attention, or its input comes out of one.</summary>
    public bool TouchesAttention(NodeProto node) => ComesFromAttention(node.Input[0]) || Reaches(node.Output[0], IsAttention, _ => false);

    /// <summary>The one-dimensional tensor that is added to a product's result, or null.</summary>
    public string? BiasOf(NodeProto product, GraphTensors tensors) => _users[product.Output[0]].Where(node => node.OpType == "Add")
        .SelectMany(node => node.Input).FirstOrDefault(input => tensors.Has(input) && tensors.Dims(input).Count == 1);

    /// <summary>The stored tensor behind a value, and the operator between, if there is one.</summary>
    public (string Name, string? Through)? Stored(string name, GraphTensors tensors) =>
        tensors.Has(name) ? (name, null)
        : _makers.TryGetValue(name, out NodeProto? maker) && maker.OpType is "Reshape" or "Transpose" && tensors.Has(maker!.Input[0]) ? (maker.Input[0], maker.OpType)
        : null;

    private static bool IsAttention(NodeProto node) => node.OpType is "GroupQueryAttention" or "MultiHeadAttention" or "Attention" or "PagedAttention";

    private static IEnumerable<string> Names(GraphProto graph) => graph.Node.SelectMany(node =>
        node.Input.Concat(node.Attribute.Where(attribute => attribute.G is not null).SelectMany(attribute => Names(attribute.G))));

    private bool ComesFromAttention(string name)
    {
        while (_makers.TryGetValue(name, out NodeProto? maker))
        {
            if (IsAttention(maker))
            {
                return true;
            }

            if (!s_plumbing.Contains(maker.OpType) || maker.OpType is "Add" or "Mul")
            {
                return false;
            }

            name = maker.Input[0];
        }

        return false;
    }

    private bool Reaches(string name, Func<NodeProto, bool> isGoal, Func<string, bool> isGoalValue)
    {
        HashSet<string> visited = [];
        Stack<string> left = new([name]);
        while (left.TryPop(out string? value))
        {
            if (isGoalValue(value))
            {
                return true;
            }

            foreach (NodeProto user in _users[value])
            {
                if (isGoal(user))
                {
                    return true;
                }

                foreach (string output in s_plumbing.Contains(user.OpType) ? user.Output.Where(visited.Add) : [])
                {
                    left.Push(output);
                }
            }
        }

        return false;
    }
}
