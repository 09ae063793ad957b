using Google.Protobuf;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>A folder's graph that gives the logits of every position, whether or not the folder's own keeps the last one alone. Made in
/// memory; the folder stays as it is.</summary>
public static class AllLogitsGraph
{
    /// <summary>The graph as an ONNX file, its data where the folder has it.</summary>
    /// <exception cref="ModelException">The file cannot be read, or picks the last position in a way that is not known here.</exception>
    public static byte[] Create(ModelFolder folder)
    {
        ModelProto model = OnnxFile.ReadWhole(folder.GraphPath);
        GraphProto graph = model.Graph;
        ValueInfoProto logits = graph.Output.Single(output => output.Name == folder.Names.Logits);
        if (logits.Type?.TensorType?.Shape?.Dim is not [_, { DimValue: 1 } positions, _])
        {
            return model.ToByteArray();
        }

        // Product <- Unsqueeze <- Gather of the last position <- what the layers give.
        NodeProto gather =
            graph.Node.FirstOrDefault(node => node.OpType == "Gather" && node.Name.Contains("prune", StringComparison.Ordinal))
            ?? throw Unknown(folder);
        NodeProto unsqueeze =
            graph.Node.FirstOrDefault(node => node.OpType == "Unsqueeze" && node.InputAt(0) == gather.Output[0]) ?? throw Unknown(folder);
        foreach (NodeProto node in graph.Node)
        {
            for (int i = 0; i < node.Input.Count; i++)
            {
                node.Input[i] = node.Input[i] == unsqueeze.Output[0] ? gather.Input[0] : node.Input[i];
            }
        }

        graph.Node.Remove(unsqueeze);
        graph.Node.Remove(gather);
        positions.DimParam = "sequence_length";
        return model.ToByteArray();
    }

    private static ModelException Unknown(ModelFolder folder) =>
        new($"{folder.GraphPath} gives the logits of one position and picks it in a way that is not known here: build the folder anew.");
}
