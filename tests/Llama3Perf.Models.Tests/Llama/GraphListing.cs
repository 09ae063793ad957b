using System.Text;
using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Tests.Llama;

/// <summary>A graph as text: one line for each input, output, initializer and node.</summary>
internal static class GraphListing
{
    /// <summary>All but the layers after the first, which a test shows to be like it.</summary>
    public static string WithFirstLayerOnly(ModelProto model)
    {
        var text = new StringBuilder();
        foreach (string line in Lines(model).Where(line => Layer(line) is null or 0))
        {
            text.Append(line).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>The lines of one layer, with its number and its neighbours' taken out.</summary>
    public static string[] OfLayer(ModelProto model, int layer) =>
        [
            .. Lines(model)
                .Where(line => Layer(line) == layer)
                .Select(line =>
                    line.Replace($"layers.{layer}.", "layers.N.")
                        .Replace($"layers.{layer}/", "layers.N/")
                        .Replace($"layers.{layer - 1}/", "layers.P/")
                        .Replace($"values.{layer}.", "values.N.")
                        .Replace($"present.{layer}.", "present.N.")
                ),
        ];

    /// <summary>Number of the layer that a line belongs to; the final norm belongs to none.</summary>
    private static int? Layer(string line)
    {
        string name = line.Split(' ')[1];
        string? number = name.Split("layers.", "past_key_values.", "present.").ElementAtOrDefault(1);
        return number is null || name.Contains("final_norm") ? null : int.Parse(string.Concat(number.TakeWhile(char.IsAsciiDigit)));
    }

    private static string[] Split(this string text, params string[] separators) => text.Split(separators, StringSplitOptions.None);

    private static IEnumerable<string> Lines(ModelProto model)
    {
        yield return $"model ir={model.IrVersion} {string.Join(' ', model.OpsetImport.Select(o => $"{o.Domain}:{o.Version}"))}";
        foreach (ValueInfoProto input in model.Graph.Input)
        {
            yield return $"input {Value(input)}";
        }

        foreach (ValueInfoProto output in model.Graph.Output)
        {
            yield return $"output {Value(output)}";
        }

        foreach (TensorProto tensor in model.Graph.Initializer)
        {
            yield return $"tensor {tensor.Name} {tensor.DataType}[{string.Join(',', tensor.Dims)}]"
                + (
                    tensor.DataLocation == DataLocation.External
                        ? " external"
                        : $" = {string.Join(',', tensor.Int64Data.Concat(tensor.Int32Data.Select(i => (long)i)))}"
                );
        }

        foreach (NodeProto node in model.Graph.Node)
        {
            yield return $"node {node.Name} {node.Domain}:{node.OpType} ({string.Join(", ", node.Input)}) -> "
                + $"({string.Join(", ", node.Output)}) {Attributes(node)}".TrimEnd();
        }
    }

    public static string Attributes(NodeProto node) =>
        string.Join(
            ' ',
            node.Attribute.Select(a => $"{a.Name}={(a.HasI ? $"{a.I}" : a.HasF ? $"{a.F:R}" : string.Join(',', a.Ints))}")
                .Order(StringComparer.Ordinal)
        );

    public static string Value(ValueInfoProto value) =>
        $"{value.Name} "
        + $"{value.Type.TensorType.ElemType}["
        + $"{string.Join(',', value.Type.TensorType.Shape.Dim.Select(d => d.HasDimParam ? d.DimParam : $"{d.DimValue}"))}]";
}
