using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>A machine, a change, and a gate to try on them. Relative figures are parts: 0.01 is 1 %.</summary>
public sealed record SimulationOptions
{
    /// <summary>Launches a side.</summary>
    public int Launches { get; init; } = 3;

    /// <summary>Iterations a launch.</summary>
    public int Iterations { get; init; } = 5;

    /// <summary>Standard deviation between launches.</summary>
    public double BetweenSd { get; init; } = 0.01;

    /// <summary>Standard deviation between the iterations of a launch.</summary>
    public double WithinSd { get; init; } = 0.01;

    /// <summary>How much throughput the current side really lost.</summary>
    public double Loss { get; init; }

    /// <summary>Launches of the machine's noise record, measured anew in each comparison; 0 has none.</summary>
    public int RecordedLaunches { get; init; }

    /// <summary>Comparisons of one metric of one case.</summary>
    public int Trials { get; init; } = 20_000;

    /// <summary>Seed; equal options give equal figures, whatever the number of cores.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The gate's threshold.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>The gate's alpha.</summary>
    public double Alpha { get; init; } = 0.01;
}

/// <summary>How the verdicts came out for one metric of one case, as parts of the trials.</summary>
/// <param name="Red">Regressions.</param>
/// <param name="Passed">Passes, the faster among them.</param>
/// <param name="Inconclusive">The rest.</param>
public sealed record SimulationResult(double Red, double Passed, double Inconclusive)
{
    internal static SimulationResult Of(IReadOnlyDictionary<MetricVerdict, int> counts, int trials)
    {
        return new(Rate(MetricVerdict.Regression), Rate(MetricVerdict.Pass) + Rate(MetricVerdict.Faster), Rate(MetricVerdict.Inconclusive));

        double Rate(MetricVerdict verdict) => (double)counts.GetValueOrDefault(verdict) / trials;
    }
}

/// <summary>Tries the shipped rule on simulated runs with log-normal noise between and within launches.</summary>
public static class GateSimulation
{
    private static readonly Column<Rows.Sample> s_throughput = SampleSchema.Metric("decode_tps");

    /// <summary>Runs the simulation, on all cores.</summary>
    /// <exception cref="OptionException">There are no trials, launches or iterations, or an option is out of range.</exception>
    public static SimulationResult Run(SimulationOptions options)
    {
        ComparisonOptions.CheckThreshold(options.Threshold, options.Alpha);
        if (options.Launches < 1 || options.Iterations < 1 || options.Trials < 1 || options.RecordedLaunches is < 0 or 1)
        {
            throw new OptionException("A simulation needs a trial, a launch and an iteration, and a noise record two launches.");
        }

        return SimulationResult.Of(NormalNoise.Count(options.Trials, options.Seed, noise => Verdict(options, noise)), options.Trials);
    }

    private static MetricVerdict Verdict(SimulationOptions options, NormalNoise noise)
    {
        LaunchNoise? recorded = LaunchNoise.Of(Side(options, options.RecordedLaunches, loss: 0, noise));
        MetricPair pair = new(
            s_throughput,
            new MeasuredSide(Side(options, options.Launches, loss: 0, noise), recorded, Unsteady: null),
            new MeasuredSide(Side(options, options.Launches, options.Loss, noise), recorded, Unsteady: null)
        );
        return MetricPair.Verdict(pair, options.Threshold, options.Alpha);
    }

    private static LogSample Side(SimulationOptions options, int launches, double loss, NormalNoise noise)
    {
        double centre = Math.Log(1 - loss);
        double[][] logarithms = new double[launches][];
        for (int launch = 0; launch < launches; launch++)
        {
            double ofLaunch = centre + (options.BetweenSd * noise.Next());
            logarithms[launch] = new double[options.Iterations];
            for (int iteration = 0; iteration < options.Iterations; iteration++)
            {
                logarithms[launch][iteration] = ofLaunch + (options.WithinSd * noise.Next());
            }
        }

        return LogSample.OfLogarithms(logarithms);
    }
}
