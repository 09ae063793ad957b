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

    /// <summary>How much throughput the current side really lost: 0 counts false alarms, anything else detections.</summary>
    public double Loss { get; init; }

    /// <summary>Comparisons of one case.</summary>
    public int Trials { get; init; } = 20_000;

    /// <summary>Tests that Holm's correction shares alpha among, as if the others were without a finding.</summary>
    public int Tests { get; init; } = 1;

    /// <summary>Seed; equal options give equal figures, whatever the number of cores.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The gate's threshold.</summary>
    public double Threshold { get; init; } = 0.05;

    /// <summary>The gate's alpha.</summary>
    public double Alpha { get; init; } = 0.01;
}

/// <summary>How often the gate went red for one metric of one case.</summary>
/// <param name="Trials">Comparisons made.</param>
/// <param name="Red">Red at first.</param>
/// <param name="Confirmed">Red again when the current side was measured a second time.</param>
public sealed record SimulationResult(int Trials, int Red, int Confirmed)
{
    /// <summary>Part of the comparisons that were red at first.</summary>
    public double RedRate => (double)Red / Trials;

    /// <summary>Part of the comparisons that stayed red.</summary>
    public double ConfirmedRate => (double)Confirmed / Trials;
}

/// <summary>Tries the shipped rule (<see cref="GateRule"/>) on simulated runs with log-normal noise between and within launches.</summary>
public static class GateSimulation
{
    private const int TrialsOfBlock = 500;

    private static readonly Column<Rows.Sample> Throughput = SampleSchema.Metric("decode_tps");

    /// <summary>Runs the simulation, on all cores.</summary>
    /// <exception cref="ArgumentException">There are no trials, or the gate could never decide.</exception>
    public static SimulationResult Run(SimulationOptions options)
    {
        if (options.Launches < 1 || options.Iterations < 1 || options.Launches * options.Iterations < GateRule.LeastSamples || options.Trials < 1)
        {
            throw new ArgumentException($"A simulation needs a trial, and {GateRule.LeastSamples} iterations a side.", nameof(options));
        }

        GateOptions gate = new() { Threshold = options.Threshold, Alpha = options.Alpha };
        int red = 0;
        int confirmed = 0;
        Parallel.For(0, (options.Trials + TrialsOfBlock - 1) / TrialsOfBlock, block =>
        {
            // A generator for each block, so that the figures do not depend on which core does what.
            NormalNoise noise = new(SeedOf(options.Seed, block));
            int trials = Math.Min(TrialsOfBlock, options.Trials - block * TrialsOfBlock);
            for (int trial = 0; trial < trials; trial++)
            {
                double[] baseline = Side(options, loss: 0, noise);
                if (IsRed(baseline, Side(options, options.Loss, noise), options, gate))
                {
                    Interlocked.Increment(ref red);
                    Interlocked.Add(ref confirmed, IsRed(baseline, Side(options, options.Loss, noise), options, gate) ? 1 : 0);
                }
            }
        });
        return new SimulationResult(options.Trials, red, confirmed);
    }

    private static bool IsRed(double[] baseline, double[] current, SimulationOptions options, GateOptions gate)
    {
        double ratio = Math.Exp(PairwiseDifferences.Median(baseline, current));
        double p = MannWhitney.Less(baseline, current);
        return GateRule.IsRed(ratio, Math.Min(1, p * options.Tests), Throughput.Direction, gate);
    }

    /// <summary>Logarithms of the throughputs of one side, ascending.</summary>
    private static double[] Side(SimulationOptions options, double loss, NormalNoise noise)
    {
        double[] logs = new double[options.Launches * options.Iterations];
        double centre = Math.Log(1 - loss);
        for (int launch = 0, next = 0; launch < options.Launches; launch++)
        {
            double ofLaunch = centre + options.BetweenSd * noise.Next();
            for (int iteration = 0; iteration < options.Iterations; iteration++)
            {
                logs[next++] = ofLaunch + options.WithinSd * noise.Next();
            }
        }

        Array.Sort(logs);
        return logs;
    }

    /// <summary>A seed for a block that is the same in every process, unlike <see cref="System.HashCode"/>.</summary>
    private static int SeedOf(int seed, int block) => unchecked((int)(((ulong)(uint)seed << 32 | (uint)block) * 0x9E37_79B9_7F4A_7C15UL >> 32));

    /// <summary>Standard normal numbers by the polar method.</summary>
    private sealed class NormalNoise(int seed)
    {
        private readonly Random _random = new(seed);
        private double? _spare;

        public double Next()
        {
            if (_spare is { } spare)
            {
                _spare = null;
                return spare;
            }

            double u, v, square;
            do
            {
                u = 2 * _random.NextDouble() - 1;
                v = 2 * _random.NextDouble() - 1;
                square = u * u + v * v;
            }
            while (square is >= 1 or 0);

            double scale = Math.Sqrt(-2 * Math.Log(square) / square);
            _spare = v * scale;
            return u * scale;
        }
    }
}
