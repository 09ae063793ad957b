using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Gate;

/// <summary>When the gate goes red.</summary>
public sealed record GateOptions
{
    /// <summary>Relative change T to the worse that matters: at 0.05 a pass proves that <c>decode_tps</c> did not fall, nor <c>ttft_ms</c>
    /// rise, by 5 % or more.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>Metrics that are judged; each must have a better direction.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = ComparisonOptions.GatedMetrics;

    /// <summary>Chance of even one false alarm that all checks together may have (Holm's correction shares it out), and of each wrong
    /// pass.</summary>
    public double Alpha { get; init; } = 0.01;

    /// <summary>Whether a check that could not be decided fails the gate.</summary>
    public bool InconclusiveFails { get; init; } = true;

    /// <summary>Whether other output tokens under the same model folder, engine and provider fail the gate; they are reported in any
    /// case.</summary>
    public bool OutputChangeFails { get; init; }

    /// <summary>Largest KL divergence of the current answers from their reference, nats; null for what either side's verification
    /// tolerated.</summary>
    public double? MaxKlNats { get; init; }

    /// <summary>Whether parts of runs are judged: interrupted ones, samples without their results, metrics that some samples
    /// lack.</summary>
    public bool AllowPartial { get; init; }

    /// <summary>Key columns that baseline and current are meant to differ in; empty finds the version, build or machine field that they
    /// differ in.</summary>
    public IReadOnlyList<string> Vary { get; init; } = [];

    /// <summary>Recorded noise, for sides of few launches and to warn of thresholds below it; null when none was recorded.</summary>
    public NoiseRecord? Noise { get; init; }

    /// <summary>Checks options by themselves.</summary>
    /// <returns>The columns of <see cref="Metrics"/>.</returns>
    /// <exception cref="OptionException">One is out of range or unknown.</exception>
    internal static IReadOnlyList<Column<Sample>> Check(GateOptions options)
    {
        ComparisonOptions.CheckThreshold(options.Threshold, options.Alpha);
        return ComparisonOptions.Judged(options.Metrics);
    }
}
