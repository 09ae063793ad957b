using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Schema.Column;
using static Llama3Perf.Results.Schema.Direction;

namespace Llama3Perf.Results.Schema;

/// <summary>The columns of results.csv: one row per case. A metric with a direction is one that a dashboard may follow.</summary>
public static class ResultSchema
{
    /// <summary>Ending of the columns that hold a metric's median; <c>_mean, _stddev, _min, _max</c> stand beside them.</summary>
    internal const string MedianSuffix = "_median";

    /// <summary>The whole file.</summary>
    public static Table<ResultRow> Table { get; } = new Table<ResultRow>(Blank)
        .Add(
            SchemaVersion.Column<ResultRow>(),
            Info("case_id", (ResultRow r) => r.CaseId, Cells.Text),
            Info("status", (ResultRow r) => r.Status, Cells.Status),
            Info("error", (ResultRow r) => r.Error, Cells.OptionalText))
        .Add(r => r.Run, RunColumns.BlankIdentity, RunColumns.Identity)
        .Add(r => r.Case, CaseColumns.Blank, CaseColumns.All)
        .Add(r => r.Environment, () => new RunEnvironment(), RunColumns.Environment)
        .Add(
            Info("n_launches", (ResultRow r) => r.LaunchCount, Cells.Count),
            Info("n_samples", (ResultRow r) => r.SampleCount, Cells.Count))
        .Add(r => r.TtftMs, () => new Spread(), Spread("ttft_ms", Cells.PositiveMilliseconds, Cells.Milliseconds, LowerIsBetter))
        .Add(r => r.PrefillTps, () => new Spread(), Spread("prefill_tps", Cells.TokensPerSecond, Cells.TokensPerSecondDifference, HigherIsBetter))
        .Add(r => r.DecodeTps, () => new Spread(), Spread("decode_tps", Cells.TokensPerSecond, Cells.TokensPerSecondDifference, HigherIsBetter))
        .Add(r => r.EndToEndTps, () => new Spread(), Spread("e2e_tps", Cells.TokensPerSecond, Cells.TokensPerSecondDifference, HigherIsBetter))
        .Add(
            Metric("itl_p50_ms", (ResultRow r) => r.ItlP50Ms, Cells.Milliseconds, LowerIsBetter),
            Metric("itl_p90_ms", (ResultRow r) => r.ItlP90Ms, Cells.Milliseconds, LowerIsBetter),
            Metric("itl_p95_ms", (ResultRow r) => r.ItlP95Ms, Cells.Milliseconds, LowerIsBetter),
            Metric("itl_p99_ms", (ResultRow r) => r.ItlP99Ms, Cells.Milliseconds, LowerIsBetter),
            Metric("article_tps", (ResultRow r) => r.ArticleTps, Cells.TokensPerSecond, None),
            Metric("first_step_ms", (ResultRow r) => r.FirstStepMs, Cells.Milliseconds, None, since: 3),
            Metric("decode_steady_tps", (ResultRow r) => r.DecodeSteadyTps, Cells.TokensPerSecond, None, since: 3),
            Metric("decode_trimmed_tps", (ResultRow r) => r.DecodeTrimmedTps, Cells.TokensPerSecond, None, since: 3),
            Metric("reset_ms", (ResultRow r) => r.ResetMs, Cells.Milliseconds, None, since: 3),
            Metric("tokenize_ms", (ResultRow r) => r.TokenizeMs, Cells.Milliseconds, None, since: 3),
            Metric("warmup_ms", (ResultRow r) => r.WarmUpMs, Cells.Milliseconds, None, since: 3),
            Info("warmup_iterations", (ResultRow r) => r.WarmUpIterations, Cells.OptionalCount, since: 3),
            Info("warmup_settled", (ResultRow r) => r.WarmUpSettled, Cells.OptionalFlag, since: 3),
            Info("process_priority", (ResultRow r) => r.ProcessPriority, Cells.OptionalText, since: 3),
            Info("launch_order", (ResultRow r) => r.LaunchOrder, Cells.OptionalText, since: 3),
            Info("stopped_attempts", (ResultRow r) => r.StoppedAttempts, Cells.OptionalCount, since: 3),
            Metric("model_load_ms", (ResultRow r) => r.ModelLoadMs, Cells.Milliseconds, LowerIsBetter),
            Metric("first_run_ms", (ResultRow r) => r.FirstRunMs, Cells.Milliseconds, LowerIsBetter),
            Metric("peak_rss_bytes", (ResultRow r) => r.PeakRssBytes, Cells.Bytes, LowerIsBetter),
            Metric("peak_gpu_bytes", (ResultRow r) => r.PeakGpuBytes, Cells.Bytes, LowerIsBetter),
            Metric("drift_pct", (ResultRow r) => r.DriftPercent, Cells.Percent, None),
            Info("output_sha256", (ResultRow r) => r.OutputSha256, Cells.OptionalText),
            Info("output_stable", (ResultRow r) => r.OutputStable, Cells.OptionalFlag),
            Info("notes", (ResultRow r) => r.Notes, Cells.OptionalText, since: 2))
        .Add(r => r.Fitness, () => new Fitness(null, null),
            Info("fitness", (Fitness f) => f.Verdict, Cells.OptionalSteadiness, since: 3),
            Info("fitness_reasons", (Fitness f) => f.Reasons, Cells.OptionalText, since: 3))
        .Add(r => r.Conditions, () => new Conditions(), ConditionColumns.All)
        .StartingWith("schema_version", "run_id", "test_time", "build_commit", "case_id", "status", "error");

    private static Column<Spread>[] Spread(string name, Cell<double?> cell, Cell<double?> difference, Direction direction) =>
    [
        Metric(name + MedianSuffix, (Spread s) => s.Median, cell, direction),
        Metric(name + "_mean", (Spread s) => s.Mean, cell, None),
        Metric(name + "_stddev", (Spread s) => s.StandardDeviation, difference, None),
        Metric(name + "_min", (Spread s) => s.Minimum, cell, None),
        Metric(name + "_max", (Spread s) => s.Maximum, cell, None),
    ];

    private static ResultRow Blank() => new()
    {
        Run = null!, Environment = null!, Case = null!, CaseId = "", Status = default, LaunchCount = 0, SampleCount = 0,
        TtftMs = null!, PrefillTps = null!, DecodeTps = null!, EndToEndTps = null!,
    };
}
