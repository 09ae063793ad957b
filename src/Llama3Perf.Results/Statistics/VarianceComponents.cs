namespace Llama3Perf.Results.Statistics;

/// <summary>
/// Spread of a metric between and within launches, as standard deviations of logarithms (0.01 is 1 %): the one-way random
/// effects model by the method of moments (Searle, Casella and McCulloch, Variance Components, 1992, section 3.6).
/// </summary>
/// <param name="BetweenSd">Between launches; 0 when the launches agree better than their iterations would let them.</param>
/// <param name="WithinSd">Between iterations of one launch.</param>
/// <param name="Launches">Launches that this was estimated from.</param>
internal sealed record VarianceComponents(double BetweenSd, double WithinSd, int Launches)
{
    /// <summary>Estimates from launches; null with fewer than two, or when none has two iterations.</summary>
    public static VarianceComponents? Of(LogSample sample)
    {
        double launches = sample.LaunchCount;
        double count = sample.Count;
        if (launches < 2 || count <= launches)
        {
            return null;
        }

        double mean = sample.Launches.Sum(launch => launch.Sum()) / count;
        double within = sample.Launches.Sum(launch => SquaresAround(launch, launch.Average())) / (count - launches);
        double between = sample.Launches.Sum(launch => launch.Length * Math.Pow(launch.Average() - mean, 2)) / (launches - 1);

        // Iterations a launch; the formula allows for launches of different lengths.
        double size = (count - sample.Launches.Sum(launch => (double)launch.Length * launch.Length) / count) / (launches - 1);
        return new VarianceComponents(Math.Sqrt(Math.Max(0, (between - within) / size)), Math.Sqrt(within), sample.LaunchCount);
    }

    /// <summary>Standard deviation of the log ratio between two sides without a difference, each of launches x iterations.</summary>
    public double SdOfDifference(int launches, int iterations) =>
        Math.Sqrt(2 * (BetweenSd * BetweenSd + WithinSd * WithinSd / iterations) / launches);

    private static double SquaresAround(double[] values, double centre) => values.Sum(value => (value - centre) * (value - centre));
}
