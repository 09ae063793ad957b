using Google.Protobuf;
using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Llama;

/// <summary>
/// A decoder that feeds itself: made in memory from a folder's graph, so that a decode step needs nothing from the host and only the
/// token's id has to leave the device. The files of the folder stay as they are.
/// </summary>
/// <remarks>
/// The attention mask's input takes positions instead, int64 [1, total] with 0, 1, 2, ...; the mask is computed from them and
/// <see cref="SequenceEnd"/>. Outputs may be bound to the buffers of the next step's inputs: each is computed after the last reader of
/// that buffer.
/// </remarks>
public static class DeviceLoopGraph
{
    /// <summary>Input, int64 [1, 1]: position of the last token of this call.</summary>
    public const string SequenceEnd = "llama3perf.sequence_end";

    /// <summary>Output, int64 [1, 1]: id of the most likely token after the last one, those left out that may not be chosen.</summary>
    public const string NextToken = "llama3perf.next_token";

    /// <summary>Output, int32 [1, 1]: <see cref="NextToken"/> once more, for the host. WebGPU copies no int64 by itself.</summary>
    public const string NextTokenId = "llama3perf.next_token_id";

    /// <summary>Output, int64 [1, 1]: <see cref="SequenceEnd"/> of the step after this one.</summary>
    public const string NextEnd = "llama3perf.next_end";

    /// <summary>Output, [1, 1] of the logits' type: the logit of <see cref="NextToken"/>.</summary>
    public const string NextLogit = "llama3perf.next_logit";

    private const string Prefix = "/llama3perf/device_loop";

    /// <summary>The graph as an ONNX file; its external data stays where the folder has it.</summary>
    /// <param name="folder">The model.</param>
    /// <param name="forbidden">Token ids that may not be chosen, all inside the vocabulary.</param>
    /// <exception cref="ModelException">The file cannot be read.</exception>
    public static byte[] Create(ModelFolder folder, IReadOnlyCollection<int> forbidden)
    {
        ModelProto model = OnnxFile.ReadWhole(folder.GraphPath);
        GraphProto graph = model.Graph;
        var writer = new GraphWriter(graph);
        ComputeMask(graph, writer, folder.Names.AttentionMask);
        ChooseToken(graph, writer, folder, forbidden);
        return model.ToByteArray();
    }

    /// <summary>Nodes that read the mask read <c>position &lt;= end</c>.</summary>
    private static void ComputeMask(GraphProto graph, GraphWriter writer, string mask)
    {
        NodeProto[] readers = [.. graph.Node.Where(node => node.Input.Contains(mask))];
        writer.Input(SequenceEnd, DataType.Int64, 1, 1);
        int before = graph.Node.Count;
        string taken = writer.Standard("LessOrEqual", $"{Prefix}/LessOrEqual", [mask, SequenceEnd]);
        string computed = writer.Standard("Cast", $"{Prefix}/Cast", [taken], ("to", (int)DataType.Int64));
        foreach (NodeProto reader in readers)
        {
            for (int i = 0; i < reader.Input.Count; i++)
            {
                reader.Input[i] = reader.Input[i] == mask ? computed : reader.Input[i];
            }
        }

        // ONNX wants nodes in the order in which they are computed.
        NodeProto[] first = [.. graph.Node.Skip(before)];
        while (graph.Node.Count > before)
        {
            graph.Node.RemoveAt(graph.Node.Count - 1);
        }

        for (int i = 0; i < first.Length; i++)
        {
            graph.Node.Insert(i, first[i]);
        }
    }

    private static void ChooseToken(GraphProto graph, GraphWriter writer, ModelFolder folder, IReadOnlyCollection<int> forbidden)
    {
        ValueInfoProto logits = graph.Output.First(output => output.Name == folder.Names.Logits);
        string last = writer.Standard("Gather", $"{Prefix}/last", [logits.Name, writer.Constant(-1, scalar: true)], ("axis", 1));
        if (forbidden.Count > 0)
        {
            string never = writer.Initializer(Never(logits.Type.TensorType.ElemType, folder.VocabularySize, forbidden));
            last = writer.Standard("Add", $"{Prefix}/allowed", [last, never]);
        }

        writer.Node("", "ArgMax", $"{Prefix}/ArgMax", [last], [NextToken], ("axis", 1), ("keepdims", 1));

        writer.Node("", "Cast", $"{Prefix}/token_id", [NextToken], [NextTokenId], ("to", (int)DataType.Int32));

        writer.Node("", "GatherElements", $"{Prefix}/next_logit", [last, NextToken], [NextLogit], ("axis", 1));

        // 1 that is known only once the token is: nothing that reads the end of this step may be overtaken.
        string chosen = writer.Standard("GreaterOrEqual", $"{Prefix}/chosen", [NextToken, writer.Constant(0)]);
        string one = writer.Standard("Cast", $"{Prefix}/one", [chosen], ("to", (int)DataType.Int64));
        writer.Node("", "Add", $"{Prefix}/next_end", [SequenceEnd, one], [NextEnd]);
        writer.Output(NextToken, DataType.Int64, 1, 1);
        writer.Output(NextTokenId, DataType.Int32, 1, 1);
        writer.Output(NextEnd, DataType.Int64, 1, 1);
        writer.Output(NextLogit, logits.Type.TensorType.ElemType, 1, 1);
    }

    /// <summary>[1, vocabulary]: 0, and for the forbidden ids -∞.</summary>
    private static TensorProto Never(DataType type, int vocabularySize, IReadOnlyCollection<int> forbidden)
    {
        var tensor = new TensorProto
        {
            Name = $"{Prefix}/never",
            DataType = type,
            Dims = { 1, vocabularySize },
        };
        if (type == DataType.Float)
        {
            float[] values = new float[vocabularySize];
            foreach (int id in forbidden)
            {
                values[id] = float.NegativeInfinity;
            }

            tensor.FloatData.AddRange(values);
            return tensor;
        }

        int[] bits = new int[vocabularySize];
        foreach (int id in forbidden)
        {
            bits[id] = BitConverter.HalfToUInt16Bits(Half.NegativeInfinity);
        }

        tensor.Int32Data.AddRange(bits);
        return tensor;
    }
}
