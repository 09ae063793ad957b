using System.Globalization;
using System.Text.RegularExpressions;
using Google.Protobuf;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>A tensor that a node of a decoder makes, in the order of the graph.</summary>
/// <param name="Tensor">Its name in the graph.</param>
/// <param name="Layer">The decoder layer that it belongs to; null before the first and behind the last.</param>
/// <param name="Role">What it is within the layer, in words that all forms of a model share: <c>attn/q_proj</c>.</param>
/// <param name="Operator">Type of the node.</param>
/// <param name="Node">Name of the node.</param>
public sealed record ProbedTensor(string Tensor, int? Layer, string Role, string Operator, string Node);

/// <summary>
/// A folder's graph with the tensors between its nodes as outputs, so that two computations of a model can be held against each other
/// node by node. Made in memory; the folder stays as it is.
/// </summary>
public sealed partial class ProbedGraph
{
    // Shapes, masks and lengths: integers, the same everywhere, and some of them live on the CPU alone.
    private static readonly HashSet<string> s_plumbing =
    [
        "Cast",
        "Constant",
        "Equal",
        "Expand",
        "Gather",
        "LessOrEqual",
        "ReduceMax",
        "ReduceSum",
        "Reshape",
        "Shape",
        "Sub",
        "Transpose",
        "Unsqueeze",
        "Where",
        "DequantizeLinear",
        "If",
        "Greater",
    ];

    private ProbedGraph(byte[] bytes, IReadOnlyList<ProbedTensor> tensors) => (Bytes, Tensors) = (bytes, tensors);

    /// <summary>The graph as an ONNX file, its data where the folder has it.</summary>
    public byte[] Bytes { get; }

    /// <summary>The tensors that it gives beside its own outputs, in the order of its nodes.</summary>
    public IReadOnlyList<ProbedTensor> Tensors { get; }

    /// <summary>Makes it.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="floatActivations">True leaves out the accuracy levels of quantized products, as
    /// <see cref="FloatActivationGraph"/> does.</param>
    /// <exception cref="ModelException">The file cannot be read.</exception>
    public static ProbedGraph Create(ModelFolder folder, bool floatActivations)
    {
        ModelProto model = OnnxFile.ReadWhole(folder.GraphPath);
        HashSet<string> outputs = [.. model.Graph.Output.Select(output => output.Name)];
        List<ProbedTensor> tensors = [];
        foreach (NodeProto node in model.Graph.Node.Where(node => !s_plumbing.Contains(node.OpType)))
        {
            if (floatActivations && GraphFacts.RoundsActivations(node))
            {
                node.Attribute.Remove(node.Attribute.First(attribute => attribute.Name == GraphFacts.AccuracyLevel));
            }

            foreach (string tensor in node.Output.Where(name => name.Length > 0 && !outputs.Contains(name)))
            {
                (int? layer, string role) = Place(tensor);
                tensors.Add(new ProbedTensor(tensor, layer, role, node.OpType, node.Name));
                // ONNX Runtime works out the type by itself.
                model.Graph.Output.Add(new ValueInfoProto { Name = tensor });
            }
        }

        return new ProbedGraph(model.ToByteArray(), tensors);
    }

    /// <summary>Layer and role by the names that the official builder gives, ours and others' after it.</summary>
    internal static (int? Layer, string Role) Place(string tensor)
    {
        Match match = LayerName().Match(tensor);
        int? layer = match.Success ? int.Parse(match.Groups["layer"].ValueSpan, CultureInfo.InvariantCulture) : null;
        string rest = match.Success ? tensor[(match.Index + match.Length)..] : tensor;
        string[] parts =
        [
            .. rest.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => !ProductName().IsMatch(part) && part != "output_0"),
        ];
        return (layer, string.Join('/', parts));
    }

    [GeneratedRegex(@"layers\.(?<layer>\d{1,6})/", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LayerName();

    [GeneratedRegex("^(MatMul.*|(Skip)?LayerNorm|SimplifiedLayerNormalization|RotaryEmbedding)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ProductName();
}
