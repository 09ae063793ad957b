using System.Text.Json.Nodes;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Llama;

/// <summary>Writes a shape as <see cref="LlamaConfig"/> reads it, with rotary embeddings in the new (<c>rope_parameters</c>) form; a whole
/// config.json also in the old one.</summary>
internal static class LlamaConfigText
{
    /// <summary>What decides the computation, without names and token ids. Biases stand there only when the shape has them.</summary>
    public static JsonObject Dimensions(LlamaShape shape)
    {
        var json = new JsonObject
        {
            ["vocab_size"] = shape.VocabularySize,
            ["hidden_size"] = shape.HiddenSize,
            ["intermediate_size"] = shape.IntermediateSize,
            ["num_hidden_layers"] = shape.LayerCount,
            ["num_attention_heads"] = shape.HeadCount,
            ["num_key_value_heads"] = shape.KeyValueHeadCount,
            ["head_dim"] = shape.HeadSize,
            ["max_position_embeddings"] = shape.ContextLength,
            ["rms_norm_eps"] = shape.RmsNormEpsilon,
            ["rope_parameters"] = Rope(shape),
            ["tie_word_embeddings"] = shape.TieEmbeddings,
        };
        if (shape.AttentionBias)
        {
            json["attention_bias"] = true;
        }

        if (shape.MlpBias)
        {
            json["mlp_bias"] = true;
        }

        return json;
    }

    /// <summary>The key that says, in a checkpoint that the suite made, that its weights are random.</summary>
    public const string SyntheticKey = "llama3perf_weights";

    /// <summary>What stands there for random weights.</summary>
    public const string Synthetic = "synthetic";

    /// <summary>A complete config.json of a checkpoint with random weights. What transformers 5 renamed stands there under both names: 4
    /// would take its defaults for what it does not find, and compute another model without a word.</summary>
    /// <param name="shape">Its token ids are written too.</param>
    /// <param name="dtype">torch's name of the weights' type.</param>
    public static string Config(LlamaShape shape, string dtype)
    {
        JsonObject json = Dimensions(shape);
        json.Insert(0, "architectures", new JsonArray("LlamaForCausalLM"));
        json.Insert(1, "model_type", "llama");
        json.Insert(2, "dtype", dtype);
        json.Insert(3, "torch_dtype", dtype);
        json["rope_theta"] = shape.RopeTheta;
        json["rope_scaling"] = shape.RopeScaling is { } scaling ? Scaling(scaling) : null;
        json["hidden_act"] = "silu";
        json["bos_token_id"] = shape.BosTokenId;
        json["eos_token_id"] = Ids(shape.EosTokenIds);
        json[SyntheticKey] = LlamaConfigText.Synthetic;
        return FolderJson.Text(json);
    }

    /// <summary>A generation_config.json: the token ids that end a generation.</summary>
    public static string Generation(LlamaShape shape) =>
        FolderJson.Text(new JsonObject { ["bos_token_id"] = shape.BosTokenId, ["eos_token_id"] = Ids(shape.EosTokenIds) });

    private static JsonArray Ids(IReadOnlyList<int> ids) => [.. ids.Select(id => (JsonNode)id)];

    private static JsonObject Rope(LlamaShape shape)
    {
        JsonObject rope = shape.RopeScaling is { } scaling ? Scaling(scaling) : new JsonObject { ["rope_type"] = "default" };
        rope.Insert(1, "rope_theta", shape.RopeTheta);
        return rope;
    }

    private static JsonObject Scaling(RopeScaling scaling) =>
        new()
        {
            ["rope_type"] = "llama3",
            ["factor"] = scaling.Factor,
            ["low_freq_factor"] = scaling.LowFrequencyFactor,
            ["high_freq_factor"] = scaling.HighFrequencyFactor,
            ["original_max_position_embeddings"] = scaling.OriginalContextLength,
        };
}
