namespace Llama3Perf.Results.Statistics;

/// <summary>The geometric mean of the ratios of several cases, which are taken as independent.</summary>
/// <param name="Ratio">The mean.</param>
/// <param name="Interval">Its interval over launches; null when the spread of a case is unknown.</param>
/// <param name="Count">Cases that it rests on.</param>
public sealed record MeanRatio(double Ratio, Interval? Interval, int Count)
{
    /// <summary>Averages ratios.</summary>
    /// <param name="ratios">At least one.</param>
    /// <param name="alpha">Probability that each end of the interval is exceeded. Its degrees of freedom are Welch and Satterthwaite's for
    /// a sum of independent means.</param>
    public static MeanRatio Of(IReadOnlyCollection<RatioEstimate> ratios, double alpha)
    {
        double shift = ratios.Average(ratio => ratio.Shift);
        if (ratios.Any(ratio => ratio.Spread == SpreadSource.Unknown))
        {
            return new MeanRatio(Math.Exp(shift), Interval: null, ratios.Count);
        }

        double variance = ratios.Sum(ratio => Math.Pow(ratio.StandardError, 2));
        double degrees = variance == 0 ? 1 : Math.Pow(variance, 2) / ratios.Sum(ratio => Math.Pow(ratio.StandardError, 4) / ratio.Degrees);
        double error = Math.Sqrt(variance) / ratios.Count;
        return new MeanRatio(
            Math.Exp(shift),
            Statistics.Interval.Around(shift, StudentT.Quantile(1 - alpha, degrees) * error).Exp(),
            ratios.Count
        );
    }
}
