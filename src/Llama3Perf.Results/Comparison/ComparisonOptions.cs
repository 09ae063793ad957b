using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Comparison;

/// <summary>How runs are compared.</summary>
public sealed record ComparisonOptions
{
    /// <summary>Key columns that the runs are meant to differ in (<c>gpu_driver_version</c>); empty finds the one that they differ
    /// in.</summary>
    public IReadOnlyList<string> Vary { get; init; } = [];

    /// <summary>The run that the others are held against: its position from 1, its run id, or the path it was read from; null takes the
    /// first.</summary>
    public string? Baseline { get; init; }

    /// <summary>Metrics to compare.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [.. GatedMetrics, "prefill_tps", "e2e_tps"];

    /// <summary>Relative change T that matters: a pass excludes a loss of T or more. 0.05 is 5 %.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>Error rate of the verdicts; each end of an interval is exceeded with this probability.</summary>
    public double Alpha { get; init; } = 0.01;

    /// <summary>Recorded noise, for sides of few launches; null when none was recorded.</summary>
    public NoiseRecord? Noise { get; init; }

    /// <summary>True compares a run with itself when it is given twice (A/A); otherwise that is refused as a slip.</summary>
    public bool AllowSameRun { get; init; }

    /// <summary>
    /// What the gate judges unless it is told otherwise. In a comparison they are a family of their own for Holm's correction, so
    /// that other metrics beside them make no verdict differ from the gate's.
    /// </summary>
    public static IReadOnlyList<string> GatedMetrics { get; } = ["decode_tps", "ttft_ms"];

    /// <summary>Checks options by themselves.</summary>
    /// <returns>The columns of <see cref="Metrics"/>.</returns>
    /// <exception cref="OptionException">One is out of range or unknown.</exception>
    internal static IReadOnlyList<Column<Sample>> Check(ComparisonOptions options)
    {
        CheckThreshold(options.Threshold, options.Alpha);
        return options.Metrics.Count == 0
            ? throw new OptionException("There is no metric to compare.")
            : [.. options.Metrics.Distinct(StringComparer.Ordinal).Select(SampleSchema.Metric)];
    }

    /// <summary>Checks threshold and error rate.</summary>
    /// <exception cref="OptionException">One is out of range.</exception>
    internal static void CheckThreshold(double threshold, double alpha)
    {
        if (threshold is not (> 0 and < 1))
        {
            throw new OptionException($"A threshold of {threshold} is not between 0 and 1; 0.05 is 5 %.");
        }

        if (alpha is not (> 0 and < 0.5))
        {
            throw new OptionException($"An alpha of {alpha} is not between 0 and 0.5.");
        }
    }

    /// <summary>Metrics that are judged, each with a better direction.</summary>
    /// <exception cref="OptionException">One is unknown or has none, or there is none.</exception>
    internal static IReadOnlyList<Column<Sample>> Judged(IReadOnlyList<string> names)
    {
        Column<Sample>[] metrics = [.. names.Distinct(StringComparer.Ordinal).Select(SampleSchema.Metric)];
        return Array.Find(metrics, metric => metric.Direction == Direction.None) switch
        {
            { } undirected => throw new OptionException(
                $"The metric {undirected.Name} is reported and never gated; it has no better direction."
            ),
            null when metrics.Length == 0 => throw new OptionException("There is no metric to judge."),
            null => metrics,
        };
    }
}
