using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Folders;

/// <summary>What a decoder graph says about itself: storage of its matrix weights, family, inputs and outputs.</summary>
internal static class GraphFacts
{
    /// <summary>How most of the matrix weights are stored. The LM head may differ in mixed exports; the layers decide.</summary>
    /// <exception cref="ModelException">No matrix product with stored weights, or a storage outside <see cref="Precision"/>.</exception>
    public static (Precision Precision, int? BlockSize) Weights(string path, GraphProto graph)
    {
        NodeProto[] quantized = [.. graph.Node.Where(node => node.OpType == "MatMulNBits")];
        if (quantized.Length > 0)
        {
            (long bits, long block) = MostCommon(quantized.Select(node => (node.Integer("bits") ?? 4, node.Integer("block_size") ?? 0)));
            Precision precision = bits switch
            {
                4 => Precision.Int4,
                8 => Precision.Int8,
                _ => throw new ModelException($"{path} stores {bits}-bit weights; 4 and 8 bits are known."),
            };
            return (precision, (int)block);
        }

        return (FloatingPoint(path, graph), null);
    }

    /// <summary>DirectML graphs rotate queries and keys in nodes of their own; the others inside the attention.</summary>
    public static GraphFamily Family(GraphProto graph) =>
        graph.Node.Any(node => node.OpType == "RotaryEmbedding") ? GraphFamily.DirectML : GraphFamily.Standard;

    /// <summary>Names from genai_config.json, with ONNX Runtime GenAI's defaults; a position input only if the graph has it.</summary>
    public static DecoderNames Names(JsonField decoder, GraphProto graph)
    {
        var standard = new DecoderNames();
        JsonField? inputs = decoder.Find("inputs");
        JsonField? outputs = decoder.Find("outputs");
        string positionIds = inputs?.Find("position_ids")?.Text() ?? "position_ids";
        return new DecoderNames
        {
            InputIds = inputs?.Find("input_ids")?.Text() ?? standard.InputIds,
            AttentionMask = inputs?.Find("attention_mask")?.Text() ?? standard.AttentionMask,
            PositionIds = Has(graph.Input, positionIds) ? positionIds : null,
            PastKey = inputs?.Find("past_key_names")?.Text() ?? standard.PastKey,
            PastValue = inputs?.Find("past_value_names")?.Text() ?? standard.PastValue,
            Logits = outputs?.Find("logits")?.Text() ?? standard.Logits,
            PresentKey = outputs?.Find("present_key_names")?.Text() ?? standard.PresentKey,
            PresentValue = outputs?.Find("present_value_names")?.Text() ?? standard.PresentValue,
        };
    }

    /// <summary>Every name of the configuration, of the last layer too, must be an input or output of the graph.</summary>
    public static void CheckNames(ModelFolder folder, GraphProto graph)
    {
        DecoderNames names = folder.Names;
        string last = (folder.LayerCount - 1).ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (string input in (string[])[names.InputIds, names.AttentionMask, names.PastKey, names.PastValue])
        {
            Require(graph.Input, "input", input);
        }

        foreach (string output in (string[])[names.Logits, names.PresentKey, names.PresentValue])
        {
            Require(graph.Output, "output", output);
        }

        void Require(IEnumerable<ValueInfoProto> values, string kind, string name)
        {
            string actual = name.Replace("%d", last, StringComparison.Ordinal);
            if (!Has(values, actual))
            {
                throw new ModelException($"{folder.GraphPath} has no {kind} '{actual}', which genai_config.json names.");
            }
        }
    }

    private static Precision FloatingPoint(string path, GraphProto graph)
    {
        Dictionary<string, DataType> weights = graph.Initializer.Where(tensor => tensor.Dims.Count == 2)
            .GroupBy(tensor => tensor.Name, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => group.First().DataType, StringComparer.Ordinal);
        DataType[] types = [.. graph.Node.Where(node => node.OpType is "MatMul" or "Gemm" && node.Input.Count > 1)
            .Where(node => weights.ContainsKey(node.Input[1]))
            .Select(node => weights[node.Input[1]])];
        if (types.Length == 0)
        {
            throw new ModelException($"{path} has no MatMul or MatMulNBits with stored weights: it is not a decoder graph that is known here.");
        }

        return MostCommon(types) switch
        {
            DataType.Float => Precision.Fp32,
            DataType.Float16 => Precision.Fp16,
            DataType other => throw new ModelException($"{path} stores {other} weights; float32, float16, 8 and 4 bits are known."),
        };
    }

    private static T MostCommon<T>(IEnumerable<T> values) where T : notnull => values.CountBy(value => value).MaxBy(pair => pair.Value).Key;

    private static bool Has(IEnumerable<ValueInfoProto> values, string name) =>
        values.Any(value => string.Equals(value.Name, name, StringComparison.Ordinal));
}
