namespace Llama3Perf.Results.Statistics;

/// <summary>The middle of a metric.</summary>
/// <param name="Median">Median over all iterations, in the metric's unit.</param>
/// <param name="Interval">Its confidence interval in the same unit; null when the samples are too few for one.</param>
/// <param name="CoversLaunches">True when the interval holds the spread between launches; false when there are too few launches to know it.</param>
public sealed record MedianEstimate(double Median, Interval? Interval, bool CoversLaunches)
{
    private const int ExactLimit = 200;

    /// <summary>
    /// Estimates the median. The interval is the distribution-free one between order statistics (Hollander, Wolfe and
    /// Chicken, section 3.6), from six values on at 95 %, widened from three launches on to the t interval over launch medians.
    /// </summary>
    internal static MedianEstimate Of(LogSample sample, double confidence)
    {
        double median = sample.Median;
        Interval? interval = OrderStatistics(sample.Sorted, confidence);
        double? launches = LaunchSpread.HalfWidth(confidence, sample);
        if (launches is { } halfWidth)
        {
            Interval around = Statistics.Interval.Around(Math.Log(median), halfWidth);
            interval = interval?.Hull(around) ?? around;
        }

        return new MedianEstimate(median, interval?.Exp(), launches is not null);
    }

    private static Interval? OrderStatistics(ReadOnlySpan<double> sorted, double confidence)
    {
        int rank = LowerRank(sorted.Length, (1 - confidence) / 2);
        return rank == 0 ? null : new Interval(sorted[rank - 1], sorted[^rank]);
    }

    /// <summary>The largest rank with P(Binomial(n, ½) &lt; rank) at most <paramref name="probability"/>; 0 when there is none.</summary>
    private static int LowerRank(int n, double probability)
    {
        if (n > ExactLimit)
        {
            return (int)Math.Floor(n / 2.0 - Normal.Quantile(1 - probability) * Math.Sqrt(n) / 2);
        }

        int rank = 0;
        double term = Math.Pow(0.5, n);
        for (double sum = term; sum <= probability; rank++)
        {
            term *= (double)(n - rank) / (rank + 1);
            sum += term;
        }

        return rank;
    }
}
