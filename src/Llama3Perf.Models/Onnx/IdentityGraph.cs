using Google.Protobuf;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Onnx;

/// <summary>The smallest graph: its output is its input. On a device it carries tensors there and back.</summary>
public static class IdentityGraph
{
    /// <summary>Name of the input.</summary>
    public const string Input = "source";

    /// <summary>Name of the output.</summary>
    public const string Output = "target";

    /// <summary>The graph as an ONNX file, for tensors of any size of one dimension.</summary>
    /// <param name="elementType">Number of the element type, as ONNX counts them (1 float32, 7 int64, 10 float16).</param>
    /// <param name="rank">Dimensions of the tensors.</param>
    public static byte[] Create(int elementType, int rank)
    {
        object[] dims = [.. Enumerable.Range(0, rank).Select(i => $"d{i}")];
        var writer = new GraphWriter();
        writer.Input(Input, (DataType)elementType, dims);
        writer.Node("", "Identity", "/copy/Identity", [Input], [Output]);
        writer.Output(Output, (DataType)elementType, dims);
        return writer.ToModel().ToByteArray();
    }
}
