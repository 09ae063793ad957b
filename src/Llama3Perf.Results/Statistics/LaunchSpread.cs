namespace Llama3Perf.Results.Statistics;

/// <summary>Where the spread between launches in an interval comes from.</summary>
public enum SpreadSource
{
    /// <summary>It is not known: there is no interval.</summary>
    Unknown,

    /// <summary>From the launches that are compared.</summary>
    Launches,

    /// <summary>From the noise record of this machine, since the launches are too few.</summary>
    NoiseRecord,
}

/// <summary>
/// How far the launches of one side lie apart. Iterations of one launch share its memory layout, clocks and scheduling: they are
/// no repetitions, and no number of them tells how another launch would have come out.
/// </summary>
/// <param name="Variance">Variance of a launch's median, of logarithms.</param>
/// <param name="Degrees">Degrees of freedom that it was estimated with.</param>
/// <param name="Launches">Launches of this side.</param>
/// <param name="Source">Where the variance comes from.</param>
internal sealed record LaunchSpread(double Variance, double Degrees, int Launches, SpreadSource Source)
{
    /// <summary>
    /// With fewer launches a side's own spread is not used: two have one degree of freedom, which decides nothing short of a
    /// loss of thirty times the spread, and two values that agree by chance would decide everything.
    /// </summary>
    public const int LeastLaunches = 3;

    /// <summary>Variance of the mean of the launches.</summary>
    public double VarianceOfMean => Variance / Launches;

    /// <summary>
    /// The spread of a side: its own, or the recorded one where its launches are too few; null without either. Recorded noise
    /// is of a quiet day: where the few launches or their iterations scatter more today, what is seen today counts.
    /// </summary>
    public static LaunchSpread? Of(LogSample sample, LaunchNoise? recorded)
    {
        int launches = sample.LaunchCount;
        if (launches >= LeastLaunches)
        {
            return new LaunchSpread(sample.LaunchVariance, launches - 1, launches, SpreadSource.Launches);
        }

        if (launches == 0 || recorded is null)
        {
            return null;
        }

        double between = launches > 1 ? sample.LaunchVariance : 0;
        double within = LaunchNoise.MedianFactor * sample.WithinVariance / sample.LeastIterations;
        double variance = Math.Max(recorded.Variance(sample.LeastIterations), Math.Max(between, within));
        return new LaunchSpread(variance, recorded.Launches - 1, launches, SpreadSource.NoiseRecord);
    }

    /// <summary>
    /// Degrees of freedom of a difference between two sides: Welch's (1947) by Satterthwaite's formula. Pooling the variances
    /// would be stronger by a fifth at 3 against 3 launches, and wrong where one side was measured on a busier day: at a spread
    /// five times the other's it errs 2.4 times in 100 instead of once, Welch 1.4 times; at equal spreads Welch errs 0.6 times.
    /// Two sides with the spread of one record have no more than the record's.
    /// </summary>
    public static double DegreesOfDifference(LaunchSpread a, LaunchSpread b)
    {
        if (a.Source == SpreadSource.NoiseRecord && b.Source == SpreadSource.NoiseRecord)
        {
            return Math.Min(a.Degrees, b.Degrees);
        }

        double sum = a.VarianceOfMean + b.VarianceOfMean;
        return sum == 0
            ? a.Degrees + b.Degrees
            : sum * sum / ((a.VarianceOfMean * a.VarianceOfMean / a.Degrees) + (b.VarianceOfMean * b.VarianceOfMean / b.Degrees));
    }

    /// <summary>
    /// Degrees of freedom to plan with. Between sides of equal spread Welch's lie from L - 1 to 2 (L - 1), by chance, and the few
    /// low ones cost most: with this figure what was planned for 95 in 100 comparisons is found in 92 to 97.
    /// </summary>
    public static double ExpectedDegrees(int launches) => 1.25 * (launches - 1);
}
