using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Aggregation;

/// <summary>
/// From the samples of a case to its row of results.csv. Statistics are over iterations: the tokens inside one are
/// autocorrelated and never pooled. Numbers are taken as samples.csv holds them, so that anyone can compute the row again.
/// </summary>
public static class Aggregates
{
    private static readonly Column<Sample> s_decodeTps = SampleSchema.Metric("decode_tps");

    /// <summary>The rows of a run, in the order of its cases.</summary>
    public static IReadOnlyList<ResultRow> Rows(Run run) => [.. run.Cases.Select(outcome => Row(run, outcome))];

    /// <summary>The row of one case. A case that failed keeps its counts and has no metrics; an interrupted one has those of its finished
    /// launches.</summary>
    public static ResultRow Row(Run run, CaseOutcome outcome)
    {
        Sample[] completed = [.. outcome.Samples.Where(sample => sample.Completed)];
        bool ok = outcome.Status is CaseStatus.Ok or CaseStatus.Interrupted;
        Sample[] samples = ok ? completed : [];
        return new ResultRow
        {
            Run = run.Identity,
            Environment = run.Environment,
            Case = outcome.Case,
            CaseId = outcome.CaseId,
            Status = outcome.Status,
            Error = outcome.Error,
            Notes = outcome.Notes.Count == 0 ? null : string.Join("; ", outcome.Notes),
            LaunchCount = completed.Select(sample => sample.LaunchIndex).Distinct().Count(),
            SampleCount = completed.Length,
            Statistics = [.. ResultSchema.Statistics.Select(column => Statistic(column, samples))],
            TokenizeMs = ok ? outcome.TokenizeMs : null,
            WarmUpMs = ok && outcome.WarmUps.Count > 0 ? outcome.WarmUps.Select(warmUp => warmUp.Ms).Median() : null,
            WarmUpIterations = ok ? outcome.WarmUps.Max(warmUp => (int?)warmUp.Iterations) : null,
            WarmUpSettled = ok && outcome.WarmUps.Count > 0 ? outcome.WarmUps.All(warmUp => warmUp.IsSettled) : null,
            WeightBytesPerToken = outcome.WeightBytesPerToken,
            CacheBytesPerToken = outcome.CacheBytesPerToken,
            MemoryBandwidthPercent = BandwidthPercent(run, outcome, samples),
            ProcessPriority = outcome.ProcessPriority,
            LaunchOrder = outcome.LaunchOrder,
            CpuFallbackOps = outcome.CpuFallbackOps,
            StoppedAttempts =
                samples.Sum(sample => sample.StoppedAttempts) is var stopped && samples.Any(sample => sample.StoppedAttempts is not null)
                    ? stopped
                    : null,
            Conditions = ConditionSummary.Of([.. samples.Select(sample => sample.Conditions)]),
            Fitness = CaseFitness.Of(samples),
            Verification = outcome.Verification,
            DriftPercent = Drift(samples),
            OutputSha256 = samples.FirstOrDefault()?.OutputSha256,
            OutputStable = IsStable(samples),
        };
    }

    private static double? BandwidthPercent(Run run, CaseOutcome outcome, Sample[] samples)
    {
        double[] rates = Values(samples, s_decodeTps);
        return outcome.Case.Provider == "cpu" && rates.Length > 0
            ? outcome.WeightBytesPerToken * rates.Median() / (run.Environment.MemoryGigabytesPerSecond * 1e9) * 100
            : null;
    }

    private static double? Statistic(StatisticColumn column, Sample[] samples)
    {
        double[] values =
            column.Source.Statistic == Schema.Statistic.LaunchMedian
                ?
                [
                    .. samples
                        .GroupBy(sample => sample.LaunchIndex)
                        .Select(launch => Values(launch, column.Source).FirstOrDefault(double.NaN))
                        .Where(double.IsFinite),
                ]
                : Values(samples, column.Source);
        return values.Length == 0 ? null : column.Of(values);
    }

    private static double[] Values(IEnumerable<Sample> samples, Column<Sample> column) =>
        [.. samples.Select(column.Value).OfType<double>()];

    /// <summary>Within launches, since the process and the caches start anew with each; fewer than three iterations say nothing.</summary>
    internal static double? Drift(IEnumerable<Sample> samples)
    {
        double[] launches = [.. samples.GroupBy(sample => sample.LaunchIndex).Select(OfLaunch).OfType<double>()];
        return launches.Length == 0 ? null : launches.Median();

        static double? OfLaunch(IEnumerable<Sample> launch)
        {
            double[] rates = Values(launch.OrderBy(sample => sample.Iteration), s_decodeTps);
            int third = rates.Length / 3;
            return third == 0 ? null : (rates[^third..].Average() / rates[..third].Average() - 1) * 100;
        }
    }

    private static bool? IsStable(Sample[] samples) =>
        samples.Length == 0 || samples.Any(sample => sample.OutputSha256 is null)
            ? null
            : samples.All(sample => sample.OutputSha256 == samples[0].OutputSha256);
}
