namespace Llama3Perf.Models.Llama;

/// <summary>What the modules of a graph are called in Hugging Face's Llama checkpoints.</summary>
internal static class CheckpointNames
{
    /// <summary>Names, without <c>.weight</c> or <c>.bias</c>, of what a module is made of: three for packed q, k, v, else one.</summary>
    /// <param name="path">Like <c>/model/layers.0/attn/qkv_proj</c>.</param>
    /// <param name="shape">Says whether the LM head is the embedding.</param>
    public static IReadOnlyList<string> Of(string path, LlamaShape shape)
    {
        if (path == "/lm_head")
        {
            return [shape.TieEmbeddings ? "model.embed_tokens" : "lm_head"];
        }

        if (path.EndsWith("/final_norm_layernorm", StringComparison.Ordinal))
        {
            return ["model.norm"];
        }

        string name = path[1..].Replace("/attn/", "/self_attn/", StringComparison.Ordinal).Replace('/', '.');
        const string packed = "qkv_proj";
        return name.EndsWith(packed, StringComparison.Ordinal)
            ? [.. ((string[])["q_proj", "k_proj", "v_proj"]).Select(part => name[..^packed.Length] + part)]
            : [name];
    }
}
