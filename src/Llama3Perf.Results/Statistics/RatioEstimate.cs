namespace Llama3Perf.Results.Statistics;

/// <summary>How many times the baseline the other side is.</summary>
/// <param name="Ratio">Hodges-Lehmann estimate: e to the median of all differences of logarithms.</param>
/// <param name="Interval">Its confidence interval; null when the samples are too few for one.</param>
/// <param name="CoversLaunches">True when the interval holds the spread between launches; false when there are too few launches to know it.</param>
public sealed record RatioEstimate(double Ratio, Interval? Interval, bool CoversLaunches)
{
    /// <summary>
    /// Estimates other / baseline. The interval is the distribution-free one of Moses (1965; Hollander, Wolfe and Chicken,
    /// section 4.3): the differences whose ranks are the Mann-Whitney quantiles. It takes iterations for independent, so
    /// where the launches disagree more than that it is widened, at either end, to the t interval over launch medians.
    /// </summary>
    internal static RatioEstimate Of(LogSample baseline, LogSample other, double confidence)
    {
        double shift = PairwiseDifferences.Median(baseline.Sorted, other.Sorted);
        Interval? interval = Moses(baseline.Sorted, other.Sorted, confidence);
        double? launches = LaunchSpread.HalfWidth(confidence, baseline, other);
        if (interval is { } moses && launches is { } halfWidth)
        {
            interval = moses.Hull(Statistics.Interval.Around(shift, halfWidth));
        }

        return new RatioEstimate(Math.Exp(shift), interval?.Exp(), launches is not null);
    }

    private static Interval? Moses(ReadOnlySpan<double> x, ReadOnlySpan<double> y, double confidence)
    {
        long rank = MannWhitney.LowerCriticalCount(x.Length, y.Length, (1 - confidence) / 2);
        return rank == 0
            ? null
            : new Interval(PairwiseDifferences.Select(x, y, rank), PairwiseDifferences.Select(x, y, (long)x.Length * y.Length + 1 - rank));
    }
}
