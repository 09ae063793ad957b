using Perfolizer.Mathematics.Distributions.ContinuousDistributions;

namespace Llama3Perf.Results.Statistics;

/// <summary>
/// What the spread between launches adds to an interval. Iterations of one launch share its memory layout, clocks and
/// scheduling; an interval over iterations alone takes them for independent. With 1 % spread within and between launches, a
/// 95 % interval of 15 iterations of one launch holds the true ratio 40 times in 100, and this one of 3 x 5 95 times
/// (5,000 simulated comparisons). The launches are independent, so it is Student's t over launch medians.
/// </summary>
internal static class LaunchSpread
{
    private const int LeastDegreesOfFreedom = 2;

    /// <summary>
    /// Half the width of the t interval of a location (one sample) or of a difference (two), on the logarithms; null with
    /// fewer than two degrees of freedom. Degrees of freedom are launches less samples, the variance is pooled: s² · sum of 1/L.
    /// </summary>
    public static double? HalfWidth(double confidence, params ReadOnlySpan<LogSample> samples)
    {
        double squares = 0;
        double inverse = 0;
        int degrees = 0;
        foreach (LogSample sample in samples)
        {
            double[] medians = [.. sample.Launches.Select(LogSample.MiddleOf)];
            double mean = medians.Average();
            squares += medians.Sum(median => (median - mean) * (median - mean));
            inverse += 1.0 / medians.Length;
            degrees += medians.Length - 1;
        }

        return degrees < LeastDegreesOfFreedom
            ? null
            : new StudentDistribution(degrees).Quantile((1 + confidence) / 2) * Math.Sqrt(squares / degrees * inverse);
    }
}
