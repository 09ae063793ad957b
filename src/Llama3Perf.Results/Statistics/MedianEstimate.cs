namespace Llama3Perf.Results.Statistics;

/// <summary>The middle of a metric.</summary>
/// <param name="Median">Median over all iterations, in the metric's unit.</param>
/// <param name="Interval">Student's t interval over launch medians of logarithms, in the same unit; null with fewer than three
/// launches.</param>
public sealed record MedianEstimate(double Median, Interval? Interval)
{
    /// <summary>Half the width of the interval as a part of the median: 0.01 is ±1 %. Null without an interval.</summary>
    public double? RelativeHalfWidth => Interval is { } interval ? Math.Exp(Math.Log(interval.High / interval.Low) / 2) - 1 : null;

    /// <summary>Estimates the middle of a metric of a case.</summary>
    /// <param name="samples">Samples of one case, of all of its launches.</param>
    /// <param name="metric">Name of the metric.</param>
    /// <param name="alpha">Probability that each end of the interval is exceeded.</param>
    /// <returns>Null when no sample has the metric.</returns>
    /// <exception cref="OptionException">There is no such metric.</exception>
    public static MedianEstimate? Of(IEnumerable<Rows.Sample> samples, string metric, double alpha) =>
        LogSample.Of(samples, Schema.SampleSchema.Metric(metric)) is { Count: > 0 } values ? Of(values, alpha) : null;

    /// <summary>Estimates the middle of a sample.</summary>
    internal static MedianEstimate Of(LogSample sample, double alpha) =>
        new(
            sample.Median,
            LaunchSpread.Of(sample, recorded: null) is { } spread
                ? Statistics
                    .Interval.Around(
                        Math.Log(sample.Median),
                        StudentT.Quantile(1 - alpha, spread.Degrees) * Math.Sqrt(spread.VarianceOfMean)
                    )
                    .Exp()
                : null
        );
}
