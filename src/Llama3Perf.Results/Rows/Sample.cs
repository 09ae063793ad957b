namespace Llama3Perf.Results.Rows;

/// <summary>One measured iteration: one whole generation. One row of samples.csv.</summary>
public sealed record Sample
{
    /// <summary>The run, shared by all of its samples.</summary>
    public required RunIdentity Run { get; init; }

    /// <summary>The machine and libraries, shared by all of the run's samples.</summary>
    public required RunEnvironment Environment { get; init; }

    /// <summary>The case, shared by all of its samples.</summary>
    public required CaseKey Case { get; init; }

    /// <summary>Short, readable, unique name of the case within the run.</summary>
    public required string CaseId { get; init; }

    /// <summary>Process launch, from 1.</summary>
    public required int LaunchIndex { get; init; }

    /// <summary>Iteration within the launch, from 1; warm-up iterations are not samples.</summary>
    public required int Iteration { get; init; }

    /// <summary>UTC just before the prompt was handed to the engine.</summary>
    public required DateTimeOffset StartUtc { get; init; }

    /// <summary>Prompt tokens; null where a server does not count them.</summary>
    public required int? PromptTokens { get; init; }

    /// <summary>Tokens really generated.</summary>
    public required int NewTokens { get; init; }

    /// <summary>The prompt-processing call alone, ms.</summary>
    public double? PrefillMs { get; init; }

    /// <summary>Time to first token, ms.</summary>
    public double? TtftMs { get; init; }

    /// <summary>From the first new token to the last, ms.</summary>
    public double? DecodeMs { get; init; }

    /// <summary>Whole generation, ms.</summary>
    public double? EndToEndMs { get; init; }

    /// <summary>Prompt tokens a second of prefill.</summary>
    public double? PrefillTps { get; init; }

    /// <summary>New tokens a second after the first.</summary>
    public double? DecodeTps { get; init; }

    /// <summary>Time per output token, ms: (t_last - t_1) / (n_g - 1), the inverse of the decode rate.</summary>
    public double? TpotMs { get; init; }

    /// <summary>New tokens a second of the whole generation.</summary>
    public double? EndToEndTps { get; init; }

    /// <summary>Prompt and new tokens a second of the whole generation: the article's count.</summary>
    public double? ArticleTps { get; init; }

    /// <summary>Median inter-token latency of this iteration, ms.</summary>
    public double? ItlP50Ms { get; init; }

    /// <summary>90th percentile of this iteration's inter-token latencies, ms.</summary>
    public double? ItlP90Ms { get; init; }

    /// <summary>95th percentile of this iteration's inter-token latencies, ms.</summary>
    public double? ItlP95Ms { get; init; }

    /// <summary>99th percentile of this iteration's inter-token latencies, ms.</summary>
    public double? ItlP99Ms { get; init; }

    /// <summary>First decode step: t_2 - t_1, in which a device does what it does once a generation, ms.</summary>
    public double? FirstStepMs { get; init; }

    /// <summary>Decode rate without that step.</summary>
    public double? DecodeSteadyTps { get; init; }

    /// <summary>Decode rate by the mean inter-token latency without the shortest and the longest tenth: what decode is worth between
    /// stalls.</summary>
    public double? DecodeTrimmedTps { get; init; }

    /// <summary>Time that the engine took to ready its KV cache (or generator) before t0, ms; part of no other figure.</summary>
    public double? ResetMs { get; init; }

    /// <summary>Generations in place of this one that were thrown away because the process was stopped or the machine slept.</summary>
    public int? StoppedAttempts { get; init; }

    /// <summary>What the machine did meanwhile.</summary>
    public Conditions Conditions { get; init; } = Conditions.Unknown;

    /// <summary>Peak resident set of the measuring process since the launch began, bytes.</summary>
    public long? PeakRssBytes { get; init; }

    /// <summary>Cold load of the model in this launch, ms; the same in every iteration of it.</summary>
    public double? ModelLoadMs { get; init; }

    /// <summary>First generation after that load, warm-up or not, ms; the same in every iteration of the launch.</summary>
    public double? FirstRunMs { get; init; }

    /// <summary>Peak GPU memory of the measuring process in this launch, bytes; the same in every iteration of it.</summary>
    public long? PeakGpuBytes { get; init; }

    /// <summary>
    /// How far an external engine's clock and ours are apart over the whole request, ms. Only where it is more than 2 % and 5 ms: such a
    /// sample's times are the engine's word against ours.
    /// </summary>
    public double? ClockDisagreementMs { get; init; }

    /// <summary>Tokens that the draft of speculative decoding proposed; unknown without one.</summary>
    public long? DraftTokensProposed { get; init; }

    /// <summary>Share of them that the model took, percent.</summary>
    public double? DraftAcceptance { get; init; }

    /// <summary>SHA-256 over the new token ids (little-endian int32), lowercase hexadecimal.</summary>
    public string? OutputSha256 { get; init; }

    /// <summary>t_i - t0 of every new token, ms, ascending; kept in tokens.csv, empty when that file is absent.</summary>
    public IReadOnlyList<double> TokenMs { get; init; } = [];

    /// <summary>False when the iteration broke off or produced another number of tokens than asked for.</summary>
    public required bool Completed { get; init; }
}

/// <summary>Which run a row belongs to.</summary>
/// <param name="RunId">Unique name of the run, also its folder's.</param>
/// <param name="TestTime">UTC when the run started.</param>
/// <param name="BuildCommit">Commit of the suite, or null when unknown.</param>
public sealed record RunIdentity(string RunId, DateTimeOffset TestTime, string? BuildCommit)
{
    /// <summary>What the user calls the run: <c>after BIOS 1.14</c>.</summary>
    public string? Label { get; init; }

    /// <summary>The label, or where there is none the id.</summary>
    public string ShownName() => Label ?? RunId;
}
