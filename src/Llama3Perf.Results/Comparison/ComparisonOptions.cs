using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Comparison;

/// <summary>How runs are compared.</summary>
public sealed record ComparisonOptions
{
    /// <summary>Key columns that the runs are meant to differ in (<c>gpu_driver_version</c>); empty finds the one that they differ in.</summary>
    public IReadOnlyList<string> Vary { get; init; } = [];

    /// <summary>The run that the others are held against: its position from 1, its run id, or the path it was read from; null takes the first.</summary>
    public string? Baseline { get; init; }

    /// <summary>Metrics to compare.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = ["decode_tps", "ttft_ms", "prefill_tps", "e2e_tps"];

    /// <summary>Relative change that counts as none: an interval within it both ways is the same. 0.05 is 5 %.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>Confidence of the intervals.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>True compares a run with itself when it is given twice (A/A); otherwise that is refused as a slip.</summary>
    public bool AllowSameRun { get; init; }

    /// <summary>Checks options by themselves.</summary>
    /// <returns>The columns of <see cref="Metrics"/>.</returns>
    /// <exception cref="ArgumentException">One is out of range or unknown.</exception>
    internal static IReadOnlyList<Column<Sample>> Check(ComparisonOptions options)
    {
        if (options.Threshold is not (> 0 and < 1))
        {
            throw new ArgumentException($"A threshold of {options.Threshold} is not between 0 and 1; 0.05 is 5 %.", nameof(options));
        }

        if (options.Confidence is not (> 0.5 and < 1))
        {
            throw new ArgumentException($"A confidence of {options.Confidence} is not between 0.5 and 1.", nameof(options));
        }

        if (options.Metrics.Count == 0)
        {
            throw new ArgumentException("There is no metric to compare.", nameof(options));
        }

        return [.. options.Metrics.Distinct(StringComparer.Ordinal).Select(SampleSchema.Metric)];
    }
}
