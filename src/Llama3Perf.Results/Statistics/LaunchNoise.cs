namespace Llama3Perf.Results.Statistics;

/// <summary>What is known of a metric's spread between launches from an earlier measurement of the same case on the same machine.</summary>
/// <param name="Launches">Launches that it was measured from.</param>
/// <param name="Iterations">Iterations of each of them.</param>
/// <param name="LaunchSd">Standard deviation of the launches' medians, of logarithms: 0.01 is 1 %.</param>
/// <param name="WithinSd">Standard deviation between the iterations of a launch, of logarithms.</param>
internal sealed record LaunchNoise(int Launches, int Iterations, double LaunchSd, double WithinSd)
{
    /// <summary>Variance of a median over that of a value, times the number of values: π/2 for many normal ones, less for few.</summary>
    public const double MedianFactor = Math.PI / 2;

    /// <summary>
    /// Variance of the median of a launch with other iterations. Fewer add what the recorded ones had averaged out; more take
    /// nothing off, since what they would average out cannot be told from the spread between launches.
    /// </summary>
    public double Variance(int iterations) =>
        (LaunchSd * LaunchSd) + (MedianFactor * WithinSd * WithinSd * Math.Max(0, (1.0 / iterations) - (1.0 / Iterations)));

    /// <summary>The noise that launches show; null with fewer than two.</summary>
    public static LaunchNoise? Of(LogSample sample) =>
        sample.LaunchCount < 2
            ? null
            : new LaunchNoise(
                sample.LaunchCount,
                sample.Launches.Max(launch => launch.Length),
                Math.Sqrt(sample.LaunchVariance),
                Math.Sqrt(sample.WithinVariance)
            );
}
