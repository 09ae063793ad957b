namespace Llama3Perf.Models.Llama;

/// <summary>The tensors of a Llama checkpoint as Hugging Face names and shapes them: matrices are [out, in].</summary>
internal static class LlamaTensors
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string Head = "lm_head.weight";

    /// <summary>What the names of all tensors but the head's begin with.</summary>
    public const string UsualPrefix = "model.";

    /// <summary>Every tensor that a shape asks for, in the order in which they are computed with.</summary>
    public static IEnumerable<(string Name, long[] Shape)> Of(LlamaShape shape)
    {
        long hidden = shape.HiddenSize;
        yield return (Embedding, [shape.VocabularySize, hidden]);
        for (int layer = 0; layer < shape.LayerCount; layer++)
        {
            foreach ((string name, long[] dims) in Layer(shape))
            {
                yield return ($"model.layers.{layer}.{name}", dims);
            }
        }

        yield return ("model.norm.weight", [hidden]);
        if (!shape.TieEmbeddings)
        {
            yield return (Head, [shape.VocabularySize, hidden]);
        }
    }

    /// <summary>Names of all tensors that a shape may use: those it asks for, and the LM head also where it is tied.</summary>
    public static IReadOnlySet<string> Names(LlamaShape shape) =>
        new HashSet<string>(Of(shape).Select(tensor => tensor.Name), StringComparer.Ordinal) { Head };

    /// <summary>What stands where <see cref="UsualPrefix"/> is expected, by the embedding's name or else a layer's; null when neither is
    /// there.</summary>
    public static string? Prefix(IEnumerable<string> names)
    {
        string[] ends = [Embedding[UsualPrefix.Length..], "layers.0.input_layernorm.weight"];
        return (
            from end in ends
            from name in names
            where name.EndsWith(end, StringComparison.Ordinal)
            select name[..^end.Length]
        ).FirstOrDefault();
    }

    /// <summary>True for a tensor that may take part in the computation; false for the tables of the rotary embedding, which are worked out
    /// anew.</summary>
    public static bool IsWeight(string name) => !name.Contains("rotary_emb.", StringComparison.Ordinal);

    private static IEnumerable<(string Name, long[] Shape)> Layer(LlamaShape shape)
    {
        long hidden = shape.HiddenSize;
        long inner = shape.IntermediateSize;
        yield return ("input_layernorm.weight", [hidden]);
        (string Name, long Out, long In, bool Bias)[] linear =
        [
            ("self_attn.q_proj", shape.QueryWidth, hidden, shape.AttentionBias),
            ("self_attn.k_proj", shape.KeyValueWidth, hidden, shape.AttentionBias),
            ("self_attn.v_proj", shape.KeyValueWidth, hidden, shape.AttentionBias),
            ("self_attn.o_proj", hidden, shape.QueryWidth, shape.AttentionBias),
            ("mlp.gate_proj", inner, hidden, shape.MlpBias),
            ("mlp.up_proj", inner, hidden, shape.MlpBias),
            ("mlp.down_proj", hidden, inner, shape.MlpBias),
        ];
        foreach ((string name, long rows, long columns, bool bias) in linear)
        {
            yield return ($"{name}.weight", [rows, columns]);
            if (bias)
            {
                yield return ($"{name}.bias", [rows]);
            }
        }

        yield return ("post_attention_layernorm.weight", [hidden]);
    }
}
