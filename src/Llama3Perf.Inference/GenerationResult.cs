using System.Diagnostics;

namespace Llama3Perf.Inference;

/// <summary>
/// One whole generation: what came out and when. All times derive from <see cref="Stopwatch.GetTimestamp"/>, or from the monotonic clock
/// of an external program;
/// t0 is just before the prompt is handed to the engine, t_i when new token i is readable on the host (i from 1).
/// </summary>
public sealed record GenerationResult
{
    /// <summary>UTC at t0.</summary>
    public required DateTimeOffset StartUtc { get; init; }

    /// <summary>n_p: prompt tokens, BOS included.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Ids of the n_g tokens really generated.</summary>
    public required int[] NewTokens { get; init; }

    /// <summary>t_i - t0 in milliseconds for every new token, ascending.</summary>
    public required double[] TokenMs { get; init; }

    /// <summary>Time of the prompt-processing call alone, in milliseconds.</summary>
    public required double PrefillMs { get; init; }

    /// <summary>Time that the engine took to ready its KV cache (or generator) before t0, in milliseconds; part of no other
    /// figure.</summary>
    public required double ResetMs { get; init; }

    /// <summary>
    /// How far an external program's time of the whole request and our own are apart, in milliseconds; null when they agree within
    /// 2 % of ours or 5 ms, whichever is more, and where our own clock was read.
    /// </summary>
    public double? ClockDisagreementMs { get; init; }

    /// <summary>Peak resident memory of the external program that generated; null when it tells none, and for engines in this
    /// process.</summary>
    public long? PeakRssBytes { get; init; }

    /// <summary>Peak device memory of the external program that generated; null when it tells none, and for engines in this
    /// process.</summary>
    public long? PeakGpuBytes { get; init; }

    /// <summary>What became of the tokens that were proposed; null without speculative decoding.</summary>
    public DraftCounts? Drafts { get; init; }

    /// <summary>Operators that an external program's device had no kernel for and that ran on the CPU so far; null when it tells of
    /// none.</summary>
    public IReadOnlyList<string>? CpuFallbackOps { get; init; }

    /// <summary>Logits after the prompt, [vocabulary], NaN where one is no number; null unless they were asked for and could be
    /// shown.</summary>
    public float[]? LastLogits { get; init; }

    /// <summary>t_1 - t0.</summary>
    public double TtftMs => TokenMs[0];

    /// <summary>t_last - t_1.</summary>
    public double DecodeMs => TokenMs[^1] - TokenMs[0];

    /// <summary>t_last - t0.</summary>
    public double EndToEndMs => TokenMs[^1];

    /// <summary>Prompt tokens a second: n_p / prefill time.</summary>
    public double PrefillTps => PromptTokens / PrefillMs * 1000;

    /// <summary>New tokens a second after the first: (n_g - 1) / (t_last - t_1); null for a single token.</summary>
    public double? DecodeTps => NewTokens.Length > 1 ? (NewTokens.Length - 1) / DecodeMs * 1000 : null;

    /// <summary>Time per output token, ms: (t_last - t_1) / (n_g - 1); null for a single new token.</summary>
    public double? TpotMs => NewTokens.Length > 1 ? DecodeMs / (NewTokens.Length - 1) : null;

    /// <summary>t_2 - t_1, ms: the first decode step, in which some devices do what they do once (capture a graph, compile); null for a
    /// single token.</summary>
    public double? FirstStepMs => TokenMs.Length > 1 ? TokenMs[1] - TokenMs[0] : null;

    /// <summary>New tokens a second after the second: <see cref="DecodeTps"/> without the first step; null below three tokens.</summary>
    public double? DecodeSteadyTps => TokenMs.Length > 2 ? (TokenMs.Length - 2) / (TokenMs[^1] - TokenMs[1]) * 1000 : null;

    /// <summary>
    /// The inverse of the mean inter-token latency without the shortest and the longest tenth of them: what decode is worth between stalls.
    /// Null for a single token. It stands beside <see cref="DecodeTps"/> and never in its place.
    /// </summary>
    public double? DecodeTrimmedTps
    {
        get
        {
            double[] sorted = [.. InterTokenMs().Order()];
            int cut = sorted.Length / 10;
            return sorted.Length == 0 ? null : 1000 / sorted[cut..^cut].Average();
        }
    }

    /// <summary>New tokens a second of the whole generation: n_g / (t_last - t0).</summary>
    public double EndToEndTps => NewTokens.Length / EndToEndMs * 1000;

    /// <summary>The 2024 article's count: (n_p + n_g) / (t_last - t0). Reported, never gated.</summary>
    public double ArticleTps => (PromptTokens + NewTokens.Length) / EndToEndMs * 1000;

    /// <summary>SHA-256 over the new token ids as little-endian int32, lowercase hexadecimal.</summary>
    public string OutputSha256() => TokenIds.Sha256(NewTokens);

    /// <summary>Inter-token latencies t_i - t_(i-1) for i from 2, in milliseconds.</summary>
    public double[] InterTokenMs()
    {
        double[] latencies = new double[Math.Max(0, TokenMs.Length - 1)];
        for (int i = 0; i < latencies.Length; i++)
        {
            latencies[i] = TokenMs[i + 1] - TokenMs[i];
        }

        return latencies;
    }
}
