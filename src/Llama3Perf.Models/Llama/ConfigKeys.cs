using System.Text.Json;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Llama;

/// <summary>Every key that Llama's config.json is known to have: used, or without effect on the logits of a forward pass.</summary>
internal static class ConfigKeys
{
    private const int MaxShown = 12;

    private static readonly HashSet<string> s_used = new(
        [
            "architectures",
            "model_type",
            "hidden_act",
            "vocab_size",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "num_key_value_heads",
            "head_dim",
            "max_position_embeddings",
            "rms_norm_eps",
            "rope_theta",
            "original_max_position_embeddings",
            "partial_rotary_factor",
            "tie_word_embeddings",
            "attention_bias",
            "mlp_bias",
            "bos_token_id",
            "eos_token_id",
            "pad_token_id",
            "quantization_config",
            "compression_config",
            LlamaConfigText.SyntheticKey,
            .. RopeConfig.Places,
        ],
        StringComparer.Ordinal
    );

    // How the model was trained or saved, how a framework runs it, and how text would be sampled.
    private static readonly HashSet<string> s_withoutEffect = new(
        [
            "_name_or_path",
            "_attn_implementation_autoset",
            "attention_dropout",
            "dtype",
            "initializer_range",
            "language",
            "pretraining_tp",
            "torch_dtype",
            "transformers_version",
            "transformers.js_config",
            "use_cache",
            "unsloth_fixed",
            "unsloth_version",
            "add_cross_attention",
            "chunk_size_feed_forward",
            "cross_attention_hidden_size",
            "finetuning_task",
            "gradient_checkpointing",
            "id2label",
            "is_decoder",
            "is_encoder_decoder",
            "label2id",
            "output_attentions",
            "output_hidden_states",
            "prefix",
            "problem_type",
            "pruned_heads",
            "return_dict",
            "sep_token_id",
            "decoder_start_token_id",
            "task_specific_params",
            "tf_legacy_loss",
            "tie_encoder_decoder",
            "tokenizer_class",
            "torchscript",
            "use_bfloat16",
            "do_sample",
            "early_stopping",
            "length_penalty",
            "max_length",
            "min_length",
            "num_beam_groups",
            "num_beams",
            "num_return_sequences",
            "output_scores",
            "return_dict_in_generate",
            "temperature",
            "top_k",
            "top_p",
            "typical_p",
        ],
        StringComparer.Ordinal
    );

    /// <summary>One sentence that names the keys which nobody here knows, those of the rotary embedding as <c>rope_scaling.key</c>; null
    /// when there are none.</summary>
    public static string? Warning(JsonField root)
    {
        string[] unknown =
        [
            .. Names(root).Where(name => !s_used.Contains(name) && !s_withoutEffect.Contains(name)),
            .. from place in RopeConfig.Places.Select(root.Find).OfType<JsonField>()
            from name in Names(place)
            where !RopeConfig.Keys.Contains(name)
            select $"{place.Key}.{name}",
        ];
        return unknown.Length == 0 ? null : $"config.json has what is not known here and not used: {Shown.List(unknown, MaxShown)}";
    }

    private static IEnumerable<string> Names(JsonField place) =>
        place
            .Element.EnumerateObject()
            .Where(property => property.Value.ValueKind != JsonValueKind.Null)
            .Select(property => JsonNames.Of(property) ?? "?")
            .Distinct(StringComparer.Ordinal);
}
