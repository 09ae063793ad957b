using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Llama;

/// <summary>Reads and checks Hugging Face's config.json of a Llama model, in its old (<c>rope_scaling</c>) and new (<c>rope_parameters</c>)
/// form.</summary>
internal static class LlamaConfig
{
    // Far above any Llama and far below where sizes of tensors would overflow.
    private const int MaxWidth = 1 << 20;
    private const int MaxLayers = 1024;
    private const int MaxContext = 1 << 24;

    public static LlamaShape Read(JsonField root, string name)
    {
        CheckArchitecture(root);
        int hidden = Bounded(root["hidden_size"], MaxWidth);
        int heads = Bounded(root["num_attention_heads"], MaxWidth);
        (double theta, RopeScaling? scaling) = RopeConfig.Read(root, MaxContext);
        var shape = new LlamaShape
        {
            Name = name,
            VocabularySize = Bounded(root["vocab_size"], MaxContext),
            HiddenSize = hidden,
            IntermediateSize = Bounded(root["intermediate_size"], MaxWidth),
            LayerCount = Bounded(root["num_hidden_layers"], MaxLayers),
            HeadCount = heads,
            KeyValueHeadCount = root.Find("num_key_value_heads") is { } kv ? Bounded(kv, heads) : heads,
            HeadSize = root.Find("head_dim") is { } size ? Bounded(size, MaxWidth) : HeadSize(root, hidden, heads),
            ContextLength = Bounded(root["max_position_embeddings"], MaxContext),
            RmsNormEpsilon = (float)root["rms_norm_eps"].Positive(),
            RopeTheta = theta,
            RopeScaling = scaling,
            TieEmbeddings = root.Find("tie_word_embeddings")?.Boolean() ?? false,
            AttentionBias = root.Find("attention_bias")?.Boolean() ?? false,
            MlpBias = root.Find("mlp_bias")?.Boolean() ?? false,
            BosTokenId = root.Find("bos_token_id")?.TokenId(),
            EosTokenIds = root.Find("eos_token_id")?.TokenIds() ?? [],
            Warning = ConfigKeys.Warning(root),
        };
        CheckHeads(root, shape);
        return shape;
    }

    private static void CheckArchitecture(JsonField root)
    {
        JsonField type = root["model_type"];
        IReadOnlyList<string> architectures = root.Find("architectures")?.Texts() ?? [];
        if (type.Text() != "llama")
        {
            string found = architectures.Count > 0 ? $" (this is {string.Join(", ", architectures)})" : "";
            throw type.Wrong($"\"llama\", the only architecture that is built{found}");
        }

        // Classifiers and bare models of the same type have other tensors. Some Llama 1 folders spell it LLaMA.
        if (architectures.Count > 0 && !architectures.Contains("LlamaForCausalLM", StringComparer.OrdinalIgnoreCase))
        {
            throw root["architectures"].Wrong("[\"LlamaForCausalLM\"], the only architecture that is built");
        }

        if (root.Find("hidden_act") is { } activation && activation.Text() != "silu")
        {
            throw activation.Wrong("\"silu\"");
        }
    }

    private static int HeadSize(JsonField root, int hidden, int heads) =>
        hidden % heads == 0 ? hidden / heads : throw root["num_attention_heads"].Wrong($"a divisor of hidden_size {hidden}, or a head_dim");

    private static void CheckHeads(JsonField root, LlamaShape shape)
    {
        if (shape.HeadCount % shape.KeyValueHeadCount != 0)
        {
            throw root["num_key_value_heads"].Wrong($"a divisor of num_attention_heads {shape.HeadCount}");
        }

        // GroupQueryAttention rotates halves of 8 elements at a time and refuses other sizes.
        if (shape.HeadSize % 16 != 0)
        {
            throw new ModelException($"{root.File}: the head size is {shape.HeadSize}, expected a multiple of 16.");
        }

        if ((long)shape.HeadCount * shape.HeadSize > MaxWidth)
        {
            throw root["num_attention_heads"].Wrong($"at most {MaxWidth} elements in all heads of {shape.HeadSize}");
        }
    }

    private static int Bounded(JsonField field, int maximum)
    {
        int value = field.Integer();
        return value <= maximum ? value : throw field.Wrong($"at most {maximum}");
    }
}
