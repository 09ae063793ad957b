using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Gate;

/// <summary>When the gate goes red.</summary>
public sealed record GateOptions
{
    /// <summary>Relative change to the worse that is tolerated: 0.05 lets <c>decode_tps</c> fall, and <c>ttft_ms</c> rise, by 5 %.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>Metrics that are judged; each must have a better direction.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = ["decode_tps", "ttft_ms"];

    /// <summary>Chance of even one false alarm that the tests together may have; Holm's correction shares it out.</summary>
    public double Alpha { get; init; } = 0.01;

    /// <summary>Whether a check that could not be decided fails the gate.</summary>
    public bool InconclusiveFails { get; init; } = true;

    /// <summary>Whether other output tokens under the same model folder, engine and provider fail the gate; they are reported in any case.</summary>
    public bool OutputChangeFails { get; init; }

    /// <summary>Whether parts of runs are judged: interrupted ones, samples without their results, metrics that some samples lack.</summary>
    public bool AllowPartial { get; init; }

    /// <summary>Key columns that baseline and current are meant to differ in; empty finds the version, build or machine field that they differ in.</summary>
    public IReadOnlyList<string> Vary { get; init; } = [];

    /// <summary>Recorded noise, to warn of thresholds below it; null when none was recorded.</summary>
    public NoiseRecord? Noise { get; init; }

    /// <summary>Checks options by themselves.</summary>
    /// <returns>The columns of <see cref="Metrics"/>.</returns>
    /// <exception cref="ArgumentException">One is out of range or unknown.</exception>
    internal static IReadOnlyList<Column<Sample>> Check(GateOptions options)
    {
        if (options.Threshold is not (> 0 and < 1))
        {
            throw new ArgumentException($"A threshold of {options.Threshold} is not between 0 and 1; 0.05 is 5 %.", nameof(options));
        }

        if (options.Alpha is not (> 0 and < 0.5))
        {
            throw new ArgumentException($"An alpha of {options.Alpha} is not between 0 and 0.5.", nameof(options));
        }

        Column<Sample>[] metrics = [.. options.Metrics.Distinct(StringComparer.Ordinal).Select(SampleSchema.Metric)];
        return Array.Find(metrics, metric => metric.Direction == Direction.None) switch
        {
            { } undirected => throw new ArgumentException($"The metric {undirected.Name} is reported and never gated; it has no better direction.", nameof(options)),
            null when metrics.Length == 0 => throw new ArgumentException("There is no metric to judge.", nameof(options)),
            null => metrics,
        };
    }
}
