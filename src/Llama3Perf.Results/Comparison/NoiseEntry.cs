using System.Text.Json.Serialization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>The noise of one metric of one case. Relative changes are parts: 0.05 is 5 %.</summary>
public sealed record NoiseEntry
{
    /// <summary>How often the floor and the smallest regression hold.</summary>
    private const double Power = 0.95;

    /// <summary>Name of the case.</summary>
    public required string CaseId { get; init; }

    /// <summary>Key columns of the case and the machine, as samples.csv holds them; unknown ones are absent.</summary>
    public required IReadOnlyDictionary<string, string> Keys { get; init; }

    /// <summary>The metric.</summary>
    public required string Metric { get; init; }

    /// <summary>Launches that this was measured from.</summary>
    public required int Launches { get; init; }

    /// <summary>Iterations of each launch; the longest, where they differ.</summary>
    public required int Iterations { get; init; }

    /// <summary>Standard deviation of the launches' medians, of logarithms: 0.01 is 1 %.</summary>
    public required double LaunchSd { get; init; }

    /// <summary>Standard deviation between the iterations of a launch, of logarithms.</summary>
    public required double WithinSd { get; init; }

    /// <summary>Launches a side of the gate that the next two figures are for.</summary>
    public required int GateLaunches { get; init; }

    /// <summary>Iterations a launch of that gate.</summary>
    public required int GateIterations { get; init; }

    /// <summary>The smallest threshold at which an unchanged build passes that gate in 95 of 100 comparisons.</summary>
    public required double NoiseFloor { get; init; }

    /// <summary>The smallest loss that is red in that gate in 95 of 100 comparisons.</summary>
    public required double SmallestRegression { get; init; }

    /// <summary>False when a number is none that this program writes.</summary>
    internal bool IsSane =>
        Launches >= 2 && Iterations >= 1 && IsSd(LaunchSd) && IsSd(WithinSd) && SampleSchema.Metrics.Any(metric => metric.Name == Metric);

    /// <summary>What the verdict needs of it.</summary>
    [JsonIgnore]
    internal LaunchNoise Noise => new(Launches, Iterations, LaunchSd, WithinSd);

    /// <summary>The noise floor of a gate of other sizes.</summary>
    public double Floor(int launches, int iterations, double alpha)
    {
        double shift = Shift(launches, iterations, alpha);

        // The threshold is about a loss: of a rate 1 - e^-shift, of a time e^shift - 1.
        return Tolerance.ToLoss(-shift);
    }

    /// <summary>
    /// The smallest loss that is red 95 times in 100: its estimate has to lie beyond the threshold as often, and no change has to
    /// be excluded.
    /// </summary>
    internal double Regression(NoiseOptions gate)
    {
        double beyond = Normal.Quantile(Power) * StandardError(gate.Launches, gate.Iterations);
        double toThreshold = (Tolerance with { Threshold = gate.Threshold }).Loss - beyond;
        return Tolerance.ToLoss(Math.Min(toThreshold, -Shift(gate.Launches, gate.Iterations, gate.Alpha)));
    }

    internal static NoiseEntry Of(KeyedCase found, Column<Sample> metric, LaunchNoise noise, NoiseOptions gate)
    {
        NoiseEntry entry = new()
        {
            CaseId = found.Outcome.CaseId,
            Keys = KeysOf(found.Context),
            Metric = metric.Name,
            Launches = noise.Launches,
            Iterations = noise.Iterations,
            LaunchSd = noise.LaunchSd,
            WithinSd = noise.WithinSd,
            GateLaunches = gate.Launches,
            GateIterations = gate.Iterations,
            NoiseFloor = 0,
            SmallestRegression = 0,
        };
        return entry with
        {
            NoiseFloor = entry.Floor(gate.Launches, gate.Iterations, gate.Alpha),
            SmallestRegression = entry.Regression(gate),
        };
    }

    /// <summary>The keys that noise depends on: those of the case, and the machine. Versions are what the gate compares.</summary>
    internal static Dictionary<string, string> KeysOf(CaseContext context) =>
        SampleSchema
            .CaseKeys.Where(column => column.Name == NoiseRecord.Machine || !KeyedCase.RunNames.Contains(column.Name))
            .Select(column => (column.Name, Text: column.Key(context) ?? column.Absent))
            .Where(key => key.Text is not null)
            .ToDictionary(key => key.Name, key => key.Text!, StringComparer.Ordinal);

    private Tolerance Tolerance => Tolerance.Of(threshold: 0, SampleSchema.Metric(Metric).Direction);

    /// <summary>The shift that a one-sided test of a gate excludes with the power. A gate of few launches has this record's degrees of
    /// freedom.</summary>
    private double Shift(int launches, int iterations, double alpha)
    {
        double degrees = launches < LaunchSpread.LeastLaunches ? Launches - 1 : LaunchSpread.ExpectedDegrees(launches);
        return StudentT.DetectableShift(alpha, Power, degrees) * StandardError(launches, iterations);
    }

    /// <summary>Standard deviation of the log ratio between two sides without a difference.</summary>
    private double StandardError(int launches, int iterations) => Math.Sqrt(2 * Noise.Variance(iterations) / launches);

    private static bool IsSd(double value) => value is >= 0 and < 10;
}
