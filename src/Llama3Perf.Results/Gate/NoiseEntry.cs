using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;
using Perfolizer.Mathematics.Distributions.ContinuousDistributions;

namespace Llama3Perf.Results.Gate;

/// <summary>The noise of one metric of one case. Relative changes are parts: 0.05 is 5 %.</summary>
public sealed record NoiseEntry
{
    /// <summary>Chance that two sides without a difference appear further apart, to the worse, than the noise floor.</summary>
    private const double FloorExceeded = 0.005;

    /// <summary>Chance that the smallest regression is found.</summary>
    private const double Power = 0.95;

    /// <summary>Name of the case.</summary>
    public required string CaseId { get; init; }

    /// <summary>Key columns of the case and the machine, as samples.csv holds them; unknown ones are absent.</summary>
    public required IReadOnlyDictionary<string, string> Keys { get; init; }

    /// <summary>The metric.</summary>
    public required string Metric { get; init; }

    /// <summary>Launches that this was measured from.</summary>
    public required int Launches { get; init; }

    /// <summary>Standard deviation between launches, of logarithms.</summary>
    public required double BetweenSd { get; init; }

    /// <summary>Standard deviation between the iterations of a launch, of logarithms.</summary>
    public required double WithinSd { get; init; }

    /// <summary>Launches a side of the gate that the next two figures are for.</summary>
    public required int GateLaunches { get; init; }

    /// <summary>Iterations a launch of that gate.</summary>
    public required int GateIterations { get; init; }

    /// <summary>A threshold below this gives that gate more than one false alarm in 200 comparisons of a case.</summary>
    public required double NoiseFloor { get; init; }

    /// <summary>The smallest regression that that gate finds in 95 of 100 cases; null when it never can.</summary>
    public required double? SmallestRegression { get; init; }

    /// <summary>False when a number is none that this program writes.</summary>
    internal bool IsSane => Launches >= 2 && IsSd(BetweenSd) && IsSd(WithinSd) && SampleSchema.Metrics.Any(metric => metric.Name == Metric);

    /// <summary>The noise floor of a gate of other sizes.</summary>
    public double Floor(int launches, int iterations) => LossOf(Quantile(1 - FloorExceeded) * Spread.SdOfDifference(launches, iterations));

    /// <summary>
    /// The smallest regression that a gate finds with 95 % power. It has to carry the ratio beyond the threshold, and to be
    /// large enough for the Mann-Whitney test (which needs about sqrt(π/3) the shift of a normal test), with room for noise.
    /// </summary>
    internal double? Regression(NoiseOptions gate)
    {
        int samples = gate.Launches * gate.Iterations;
        if (samples < GateRule.LeastSamples || MannWhitney.SmallestP(samples, samples) >= gate.Alpha)
        {
            return null;
        }

        double toThreshold = IsHigherBetter ? -Math.Log(1 - gate.Threshold) : Math.Log(1 + gate.Threshold);
        double total = Math.Sqrt(BetweenSd * BetweenSd + WithinSd * WithinSd);
        double toTest = Normal.Quantile(1 - gate.Alpha) * total * Math.Sqrt(Math.PI / 3 * 2 / samples);
        return LossOf(Math.Max(toThreshold, toTest) + Quantile(Power) * Spread.SdOfDifference(gate.Launches, gate.Iterations));
    }

    internal static NoiseEntry Of(KeyedCase found, Column<Sample> metric, VarianceComponents components, NoiseOptions gate)
    {
        NoiseEntry entry = new()
        {
            CaseId = found.Outcome.CaseId,
            Keys = KeysOf(found.Context),
            Metric = metric.Name,
            Launches = components.Launches,
            BetweenSd = components.BetweenSd,
            WithinSd = components.WithinSd,
            GateLaunches = gate.Launches,
            GateIterations = gate.Iterations,
            NoiseFloor = 0,
            SmallestRegression = null,
        };
        return entry with { NoiseFloor = entry.Floor(gate.Launches, gate.Iterations), SmallestRegression = entry.Regression(gate) };
    }

    /// <summary>The keys that noise depends on: those of the case, and the machine. Versions are what the gate compares.</summary>
    internal static Dictionary<string, string> KeysOf(CaseContext context) => SampleSchema.CaseKeys
        .Where(column => column.Name == "machine_id" || !KeyedCase.RunNames.Contains(column.Name))
        .Select(column => (column.Name, Text: column.Key(context)))
        .Where(key => key.Text is not null)
        .ToDictionary(key => key.Name, key => key.Text!, StringComparer.Ordinal);

    private VarianceComponents Spread => new(BetweenSd, WithinSd, Launches);

    private bool IsHigherBetter => SampleSchema.Metric(Metric).Direction == Direction.HigherIsBetter;

    /// <summary>Student's, because the spread is an estimate too: few launches make the floor high.</summary>
    private double Quantile(double p) => new StudentDistribution(Launches - 1).Quantile(p);

    /// <summary>A shift of logarithms to the worse as the relative change that the threshold is about.</summary>
    private double LossOf(double shift) => IsHigherBetter ? 1 - Math.Exp(-shift) : Math.Exp(shift) - 1;

    private static bool IsSd(double value) => value is >= 0 and < 10;
}
