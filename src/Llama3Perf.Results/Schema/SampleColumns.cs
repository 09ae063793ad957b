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
        Key("n_prompt", (Sample s) => s.PromptTokens, Cells.Count),
        Info("n_gen", (Sample s) => s.NewTokens, Cells.Count),
        Metric("prefill_ms", (Sample s) => s.PrefillMs, Cells.PositiveMilliseconds, LowerIsBetter),
        Metric("ttft_ms", (Sample s) => s.TtftMs, Cells.PositiveMilliseconds, LowerIsBetter),
        Metric("decode_ms", (Sample s) => s.DecodeMs, Cells.Milliseconds, LowerIsBetter),
        Metric("e2e_ms", (Sample s) => s.EndToEndMs, Cells.PositiveMilliseconds, LowerIsBetter),
        Metric("prefill_tps", (Sample s) => s.PrefillTps, Cells.TokensPerSecond, HigherIsBetter),
        Metric("decode_tps", (Sample s) => s.DecodeTps, Cells.TokensPerSecond, HigherIsBetter),
        Metric("e2e_tps", (Sample s) => s.EndToEndTps, Cells.TokensPerSecond, HigherIsBetter),
        Metric("article_tps", (Sample s) => s.ArticleTps, Cells.TokensPerSecond, None),
        Metric("itl_p50_ms", (Sample s) => s.ItlP50Ms, Cells.Milliseconds, LowerIsBetter),
        Metric("itl_p90_ms", (Sample s) => s.ItlP90Ms, Cells.Milliseconds, LowerIsBetter),
        Metric("itl_p95_ms", (Sample s) => s.ItlP95Ms, Cells.Milliseconds, LowerIsBetter),
        Metric("itl_p99_ms", (Sample s) => s.ItlP99Ms, Cells.Milliseconds, LowerIsBetter),
        Metric("first_step_ms", (Sample s) => s.FirstStepMs, Cells.Milliseconds, LowerIsBetter, since: 3),
        Metric("decode_steady_tps", (Sample s) => s.DecodeSteadyTps, Cells.TokensPerSecond, HigherIsBetter, since: 3),
        Metric("decode_trimmed_tps", (Sample s) => s.DecodeTrimmedTps, Cells.TokensPerSecond, HigherIsBetter, since: 3),
        Metric("reset_ms", (Sample s) => s.ResetMs, Cells.Milliseconds, LowerIsBetter, since: 3),
        Metric("peak_rss_bytes", (Sample s) => s.PeakRssBytes, Cells.Bytes, LowerIsBetter),
        Info("clock_disagreement_ms", (Sample s) => s.ClockDisagreementMs, Cells.Milliseconds, since: 2),
        Info("stopped_attempts", (Sample s) => s.StoppedAttempts, Cells.OptionalCount, since: 3),
        Info("output_sha256", (Sample s) => s.OutputSha256, Cells.OptionalText),
        Info("completed", (Sample s) => s.Completed, Cells.Flag),
    ];

    /// <summary>A sample whose columns are still to be set.</summary>
    public static Sample Blank() => new()
    {
        Run = null!, Environment = null!, Case = null!, CaseId = "", LaunchIndex = 0, Iteration = 0, StartUtc = default, PromptTokens = 0, NewTokens = 0, Completed = false,
    };
}
