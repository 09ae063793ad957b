using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Schema.Column;

namespace Llama3Perf.Results.Schema;

/// <summary>
/// The columns of results.csv: one row per case. What is measured in iterations stands in <see cref="SampleColumns"/>, with the statistic
/// that becomes a column here. A metric with a direction is one that a dashboard may follow.
/// </summary>
public static class ResultSchema
{
    /// <summary>Ending of the columns that hold a metric's median; <c>_mean, _stddev, _min, _max</c> stand beside them.</summary>
    internal const string MedianSuffix = StatisticColumn.MedianSuffix;

    /// <summary>The statistics of the samples' columns, in the order of <see cref="ResultRow.Statistics"/>.</summary>
    internal static IReadOnlyList<StatisticColumn> Statistics { get; } = StatisticColumn.All(SampleColumns.All);

    /// <summary>The whole file.</summary>
    public static Table<ResultRow> Table { get; } =
        new Table<ResultRow>(Blank)
            .Add(
                SchemaVersion.Column<ResultRow>(),
                Info("case_id", (ResultRow r) => r.CaseId, Cells.Text, heading: new("case", 4)),
                Info("status", (ResultRow r) => r.Status, Cells.Status, heading: new("status", 6)),
                Info("error", (ResultRow r) => r.Error, Cells.OptionalText)
            )
            .Add(r => r.Run, RunColumns.BlankIdentity, RunColumns.Identity)
            .Add(r => r.Case, CaseColumns.Blank, CaseColumns.All)
            .Add(r => r.Environment, () => new RunEnvironment(), RunColumns.Environment)
            .Add(
                Info("n_launches", (ResultRow r) => r.LaunchCount, Cells.Count),
                Info("n_samples", (ResultRow r) => r.SampleCount, Cells.Count)
            )
            .Add(Statistics)
            .Add(
                Metric("tokenize_ms", (ResultRow r) => r.TokenizeMs, Cells.Milliseconds, Direction.None, since: 3),
                Metric("warmup_ms", (ResultRow r) => r.WarmUpMs, Cells.Milliseconds, Direction.None, since: 3),
                Info("warmup_iterations", (ResultRow r) => r.WarmUpIterations, Cells.OptionalCount, since: 3),
                Info("warmup_settled", (ResultRow r) => r.WarmUpSettled, Cells.OptionalFlag, since: 3),
                Info("weight_bytes_per_token", (ResultRow r) => r.WeightBytesPerToken, Cells.Bytes, since: 4),
                Info("kv_bytes_per_token", (ResultRow r) => r.CacheBytesPerToken, Cells.Bytes, since: 4),
                Info("memory_bandwidth_pct", (ResultRow r) => r.MemoryBandwidthPercent, Cells.Percent, since: 4),
                Info("process_priority", (ResultRow r) => r.ProcessPriority, Cells.OptionalText, since: 3),
                Info("launch_order", (ResultRow r) => r.LaunchOrder, Cells.OptionalText, since: 3),
                Info("cpu_fallback_ops", (ResultRow r) => r.CpuFallbackOps, Cells.OptionalText, since: 4),
                Info("stopped_attempts", (ResultRow r) => r.StoppedAttempts, Cells.OptionalCount, since: 3),
                Metric("drift_pct", (ResultRow r) => r.DriftPercent, Cells.Percent, Direction.None),
                Info("output_sha256", (ResultRow r) => r.OutputSha256, Cells.OptionalText),
                Info("output_stable", (ResultRow r) => r.OutputStable, Cells.OptionalFlag),
                Info("notes", (ResultRow r) => r.Notes, Cells.OptionalText, since: 2)
            )
            .Add(
                r => r.Fitness,
                () => new Fitness(null, null),
                Info("fitness", (Fitness f) => f.Verdict, Cells.OptionalSteadiness, heading: new("fitness", 8), since: 3),
                Info("fitness_reasons", (Fitness f) => f.Reasons, Cells.OptionalText, since: 3)
            )
            .Add(
                r => r.Verification,
                () => new VerificationOutcome(),
                Info("verify_status", (VerificationOutcome v) => v.Status, Cells.OptionalVerification, heading: new("verify", 6), since: 4),
                Metric("verify_kl_nats", (VerificationOutcome v) => v.KlNats, Cells.Nats, Direction.None, heading: new("KL", 8), since: 4),
                Info("verify_kl_limit_nats", (VerificationOutcome v) => v.KlLimitNats, Cells.Nats, since: 4),
                Metric(
                    "verify_top1_pct",
                    (VerificationOutcome v) => v.TopPercent,
                    Cells.Percent,
                    Direction.None,
                    heading: new("top-1", 5),
                    since: 4
                ),
                Info("verify_detail", (VerificationOutcome v) => v.Detail, Cells.OptionalText, since: 4)
            )
            .Add(r => r.Conditions, () => new Conditions(), ConditionColumns.All)
            .StartingWith("schema_version", "run_id", "test_time", "build_commit", "case_id", "status", "error");

    /// <summary>The column of that name.</summary>
    /// <exception cref="ArgumentException">There is none; the message lists those there are.</exception>
    public static Column<ResultRow> Column(string name) =>
        Table.Find(name)
        ?? throw new ArgumentException($"results.csv has no column '{name}'; it has {string.Join(", ", Table.Columns)}.", nameof(name));

    private static ResultRow Blank() =>
        new()
        {
            Run = null!,
            Environment = null!,
            Case = null!,
            CaseId = "",
            Status = default,
            LaunchCount = 0,
            SampleCount = 0,
            Statistics = new double?[Statistics.Count],
        };
}
