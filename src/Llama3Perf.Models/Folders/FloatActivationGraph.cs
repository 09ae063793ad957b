using Google.Protobuf;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>
/// A folder's graph whose products compute in the activations' own type, whatever accuracy level they ask for: what providers without such
/// levels compute, and so what the CPU has to compute to be their reference. Made in memory; the folder stays as it is.
/// </summary>
public static class FloatActivationGraph
{
    /// <summary>The graph as an ONNX file, its data where the folder has it; null where no product rounds activations.</summary>
    /// <exception cref="ModelException">The file cannot be read.</exception>
    public static byte[]? Create(ModelFolder folder)
    {
        ModelProto model = OnnxFile.ReadWhole(folder.GraphPath);
        NodeProto[] products = [.. model.Graph.Node.Where(GraphFacts.RoundsActivations)];
        foreach (NodeProto product in products)
        {
            product.Attribute.Remove(product.Attribute.First(attribute => attribute.Name == GraphFacts.AccuracyLevel));
        }

        return products.Length > 0 ? model.ToByteArray() : null;
    }
}
