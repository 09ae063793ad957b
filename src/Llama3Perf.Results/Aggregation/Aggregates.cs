using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Aggregation;

/// <summary>
/// From the samples of a case to its row of results.csv. Statistics are over iterations: the tokens inside one are
/// autocorrelated and never pooled. Numbers are taken as samples.csv holds them, so that anyone can compute the row again.
/// </summary>
public static class Aggregates
{
    private static readonly Column<Sample> TtftMs = SampleSchema.Metric("ttft_ms");
    private static readonly Column<Sample> PrefillTps = SampleSchema.Metric("prefill_tps");
    private static readonly Column<Sample> DecodeTps = SampleSchema.Metric("decode_tps");
    private static readonly Column<Sample> EndToEndTps = SampleSchema.Metric("e2e_tps");
    private static readonly Column<Sample> ArticleTps = SampleSchema.Metric("article_tps");
    private static readonly Column<Sample> FirstStepMs = SampleSchema.Metric("first_step_ms");
    private static readonly Column<Sample> DecodeSteadyTps = SampleSchema.Metric("decode_steady_tps");
    private static readonly Column<Sample> DecodeTrimmedTps = SampleSchema.Metric("decode_trimmed_tps");
    private static readonly Column<Sample> ResetMs = SampleSchema.Metric("reset_ms");
    private static readonly Column<Sample> ItlP50Ms = SampleSchema.Metric("itl_p50_ms");
    private static readonly Column<Sample> ItlP90Ms = SampleSchema.Metric("itl_p90_ms");
    private static readonly Column<Sample> ItlP95Ms = SampleSchema.Metric("itl_p95_ms");
    private static readonly Column<Sample> ItlP99Ms = SampleSchema.Metric("itl_p99_ms");

    /// <summary>The rows of a run, in the order of its cases.</summary>
    public static IReadOnlyList<ResultRow> Rows(Run run) => [.. run.Cases.Select(outcome => Row(run, outcome))];

    /// <summary>The row of one case. A case that failed keeps its counts and has no metrics; an interrupted one has those of its finished launches.</summary>
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
            TtftMs = SpreadOf(Values(samples, TtftMs)),
            PrefillTps = SpreadOf(Values(samples, PrefillTps)),
            DecodeTps = SpreadOf(Values(samples, DecodeTps)),
            EndToEndTps = SpreadOf(Values(samples, EndToEndTps)),
            ItlP50Ms = Median(Values(samples, ItlP50Ms)),
            ItlP90Ms = Median(Values(samples, ItlP90Ms)),
            ItlP95Ms = Median(Values(samples, ItlP95Ms)),
            ItlP99Ms = Median(Values(samples, ItlP99Ms)),
            ArticleTps = Median(Values(samples, ArticleTps)),
            FirstStepMs = Median(Values(samples, FirstStepMs)),
            DecodeSteadyTps = Median(Values(samples, DecodeSteadyTps)),
            DecodeTrimmedTps = Median(Values(samples, DecodeTrimmedTps)),
            ResetMs = Median(Values(samples, ResetMs)),
            TokenizeMs = ok ? outcome.TokenizeMs : null,
            WarmUpMs = ok ? Median([.. outcome.WarmUps.Select(warmUp => warmUp.Ms)]) : null,
            WarmUpIterations = ok ? outcome.WarmUps.Max(warmUp => (int?)warmUp.Iterations) : null,
            WarmUpSettled = ok && outcome.WarmUps.Count > 0 ? outcome.WarmUps.All(warmUp => warmUp.IsSettled) : null,
            ProcessPriority = outcome.ProcessPriority,
            LaunchOrder = outcome.LaunchOrder,
            StoppedAttempts = samples.Sum(sample => sample.StoppedAttempts) is var stopped && samples.Any(sample => sample.StoppedAttempts is not null) ? stopped : null,
            Conditions = ConditionSummary.Of([.. samples.Select(sample => sample.Conditions)]),
            Fitness = CaseFitness.Of(samples),
            ModelLoadMs = ok ? Median([.. outcome.ModelLoadMs]) : null,
            FirstRunMs = ok ? Median([.. outcome.FirstRunMs]) : null,
            PeakRssBytes = samples.Max(sample => sample.PeakRssBytes),
            PeakGpuBytes = ok ? outcome.PeakGpuBytes : null,
            DriftPercent = Drift(samples),
            OutputSha256 = samples.FirstOrDefault()?.OutputSha256,
            OutputStable = IsStable(samples),
        };
    }

    private static double[] Values(IEnumerable<Sample> samples, Column<Sample> column) =>
        [.. samples.Select(column.Value).OfType<double>()];

    private static Spread SpreadOf(double[] values) => values.Length == 0 ? Spread.Unknown : new Spread
    {
        Median = Median(values),
        Mean = values.Average(),
        StandardDeviation = StandardDeviation(values),
        Minimum = values.Min(),
        Maximum = values.Max(),
    };

    private static double? Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length switch
        {
            0 => null,
            _ when sorted.Length % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2,
        };
    }

    private static double? StandardDeviation(double[] values)
    {
        double mean = values.Average();
        return values.Length < 2 ? null : Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    /// <summary>Within launches, since the process and the caches start anew with each; fewer than three iterations say nothing.</summary>
    internal static double? Drift(IEnumerable<Sample> samples)
    {
        return Median([.. samples.GroupBy(sample => sample.LaunchIndex).Select(OfLaunch).OfType<double>()]);

        static double? OfLaunch(IEnumerable<Sample> launch)
        {
            double[] rates = Values(launch.OrderBy(sample => sample.Iteration), DecodeTps);
            int third = rates.Length / 3;
            return third == 0 ? null : (rates[^third..].Average() / rates[..third].Average() - 1) * 100;
        }
    }

    private static bool? IsStable(Sample[] samples) =>
        samples.Length == 0 || samples.Any(sample => sample.OutputSha256 is null)
            ? null
            : samples.All(sample => sample.OutputSha256 == samples[0].OutputSha256);
}
