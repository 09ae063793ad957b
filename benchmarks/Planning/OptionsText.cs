using Llama3Perf.Inference;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>
/// The key column <c>engine_options</c>: what an engine was given beside its usual settings, as one text. Sorted, so that the same
/// options are the same text: <c>graph_optimization=none; provider:enable_cuda_graph=1; session:session.disable_prepacking=1</c>.
/// </summary>
internal static class OptionsText
{
    /// <summary>The text; null when everything is as usual.</summary>
    /// <param name="options">What the engine is given.</param>
    /// <param name="folder">What it takes from the model folder beside that; null for nothing.</param>
    public static string? Of(EngineOptions options, IReadOnlyDictionary<string, string>? folder = null) =>
        Join([
            .. options.Optimization == OptimizationLevel.All ? [] : new[] { $"graph_optimization={options.Optimization.Name()}" },
            .. options.KeyValueType is null or KeyValueType.F16 ? [] : new[] { $"kv_type={options.KeyValueType.Value.Name()}" },
            .. options.FlashAttention == FlashAttention.Auto ? [] : new[] { $"flash_attention={options.FlashAttention.Name()}" },
            .. options.Loop is null or DecodeLoop.Host ? [] : new[] { $"loop={options.Loop.Value.Name()}" },
            .. options.PrefillChunk is { } chunk ? [$"prefill_chunk={chunk}"] : Array.Empty<string>(),
            .. options.ProviderLibrary is { } library ? [$"provider_library={library}"] : Array.Empty<string>(),
            .. Drafts(options.Speculation),
            .. options.ProviderOptions.Select(option => $"provider:{option.Key}={option.Value}"),
            .. options.SessionEntries.Where(entry => !SpinEntries.IsUsual(entry)).Select(entry => $"session:{entry.Key}={entry.Value}"),
            .. (folder ?? new Dictionary<string, string>()).Select(option => $"folder:{option.Key}={option.Value}"),
        ]);

    /// <summary>The text for a program's own options; null when there are none.</summary>
    public static string? Of(IReadOnlyDictionary<string, string> peerOptions) =>
        Join([.. peerOptions.Select(option => $"peer:{option.Key}={option.Value}")]);

    private static string[] Drafts(Speculation? speculation) =>
        speculation switch
        {
            null => [],
            { Draft: { } draft } =>
            [
                $"draft_model={draft.Name}@{speculation.DraftSha256?[..12]}",
                $"draft_tokens={speculation.MaxDraftTokens}",
            ],
            _ => [$"ngram={speculation.NgramSize}", $"draft_tokens={speculation.MaxDraftTokens}"],
        };

    private static string? Join(string[] parts) =>
        parts.Length == 0 ? null : HomePaths.Shown(string.Join("; ", parts.Order(StringComparer.Ordinal)).ReplaceLineEndings(" "));
}
