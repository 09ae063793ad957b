using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Schema.Column;
using static Llama3Perf.Results.Schema.Direction;

namespace Llama3Perf.Results.Schema;

/// <summary>What is measured in each iteration.</summary>
internal static class SampleColumns
{
    /// <summary>The columns of <see cref="Sample"/> itself.</summary>
    public static IReadOnlyList<Column<Sample>> All { get; } =
    [
        SchemaVersion.Column<Sample>(),
        Info("case_id", (Sample s) => s.CaseId, Cells.Text),
        Info("launch_index", (Sample s) => s.LaunchIndex, Cells.Index),
        Info("iteration", (Sample s) => s.Iteration, Cells.Index),
        Info("start_utc", (Sample s) => s.StartUtc, Cells.Time),
        Key("n_prompt", (Sample s) => s.PromptTokens, Cells.OptionalCount),
        Info("n_gen", (Sample s) => s.NewTokens, Cells.Count, Statistic.Median, new("new", 4) { Rank = 6 }, resultSince: 3),
        Metric("prefill_ms", (Sample s) => s.PrefillMs, Cells.PositiveMilliseconds, LowerIsBetter),
        Metric(
            "ttft_ms",
            (Sample s) => s.TtftMs,
            Cells.PositiveMilliseconds,
            LowerIsBetter,
            Statistic.Spread,
            new("TTFT", 7, "Time to first token") { Rank = 3 }
        ),
        Metric("decode_ms", (Sample s) => s.DecodeMs, Cells.Milliseconds, LowerIsBetter),
        Metric("e2e_ms", (Sample s) => s.EndToEndMs, Cells.PositiveMilliseconds, LowerIsBetter),
        Metric(
            "prefill_tps",
            (Sample s) => s.PrefillTps,
            Cells.TokensPerSecond,
            HigherIsBetter,
            Statistic.Spread,
            new("prefill", 13, "Prefill throughput") { Rank = 4 }
        ),
        Metric(
            "decode_tps",
            (Sample s) => s.DecodeTps,
            Cells.TokensPerSecond,
            HigherIsBetter,
            Statistic.Spread,
            new("decode", 12, "Decode throughput") { WithDeviation = true, Rank = 0 }
        ),
        Metric("tpot_ms", (Sample s) => s.TpotMs, Cells.PositiveMilliseconds, LowerIsBetter, Statistic.Median, since: 4),
        Metric("e2e_tps", (Sample s) => s.EndToEndTps, Cells.TokensPerSecond, HigherIsBetter, Statistic.Spread, new("e2e", 9) { Rank = 9 }),
        Metric("article_tps", (Sample s) => s.ArticleTps, Cells.TokensPerSecond, None, Statistic.Median, new("article", 13)),
        Metric(
            "itl_p50_ms",
            (Sample s) => s.ItlP50Ms,
            Cells.Milliseconds,
            LowerIsBetter,
            Statistic.Median,
            new("ITL p50", 10) { Rank = 11 }
        ),
        Metric("itl_p90_ms", (Sample s) => s.ItlP90Ms, Cells.Milliseconds, LowerIsBetter, Statistic.Median),
        Metric("itl_p95_ms", (Sample s) => s.ItlP95Ms, Cells.Milliseconds, LowerIsBetter, Statistic.Median),
        Metric(
            "itl_p99_ms",
            (Sample s) => s.ItlP99Ms,
            Cells.Milliseconds,
            LowerIsBetter,
            Statistic.Median,
            new("ITL p99", 10) { Rank = 8 }
        ),
        Metric("first_step_ms", (Sample s) => s.FirstStepMs, Cells.Milliseconds, LowerIsBetter, Statistic.Median, since: 3),
        Metric("decode_steady_tps", (Sample s) => s.DecodeSteadyTps, Cells.TokensPerSecond, HigherIsBetter, Statistic.Median, since: 3),
        Metric(
            "decode_trimmed_tps",
            (Sample s) => s.DecodeTrimmedTps,
            Cells.TokensPerSecond,
            HigherIsBetter,
            Statistic.Median,
            new("trimmed", 13),
            since: 3
        ),
        Metric("reset_ms", (Sample s) => s.ResetMs, Cells.Milliseconds, LowerIsBetter, Statistic.Median, since: 3),
        Metric(
            "model_load_ms",
            (Sample s) => s.ModelLoadMs,
            Cells.Milliseconds,
            LowerIsBetter,
            Statistic.LaunchMedian,
            since: 3,
            resultSince: 1
        ),
        Metric(
            "first_run_ms",
            (Sample s) => s.FirstRunMs,
            Cells.Milliseconds,
            LowerIsBetter,
            Statistic.LaunchMedian,
            since: 3,
            resultSince: 1
        ),
        Metric("peak_rss_bytes", (Sample s) => s.PeakRssBytes, Cells.Bytes, LowerIsBetter, Statistic.Maximum, new("peak", 8) { Rank = 10 }),
        Metric(
            "peak_gpu_bytes",
            (Sample s) => s.PeakGpuBytes,
            Cells.Bytes,
            LowerIsBetter,
            Statistic.Maximum,
            new("peak GPU", 12) { Rank = 7 },
            since: 3,
            resultSince: 1
        ),
        Info("clock_disagreement_ms", (Sample s) => s.ClockDisagreementMs, Cells.Milliseconds, since: 2),
        Metric("draft_acceptance_pct", (Sample s) => s.DraftAcceptance, Cells.Percent, None, Statistic.Median, since: 4),
        Info("draft_tokens_proposed", (Sample s) => s.DraftTokensProposed, Cells.OptionalEvents, since: 4),
        Info("stopped_attempts", (Sample s) => s.StoppedAttempts, Cells.OptionalCount, since: 3),
        Info("output_sha256", (Sample s) => s.OutputSha256, Cells.OptionalText),
        Info("completed", (Sample s) => s.Completed, Cells.Flag),
    ];

    /// <summary>A sample whose columns are still to be set.</summary>
    public static Sample Blank() =>
        new()
        {
            Run = null!,
            Environment = null!,
            Case = null!,
            CaseId = "",
            LaunchIndex = 0,
            Iteration = 0,
            StartUtc = default,
            PromptTokens = null,
            NewTokens = 0,
            Completed = false,
        };
}
