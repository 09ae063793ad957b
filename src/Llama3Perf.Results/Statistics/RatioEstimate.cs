namespace Llama3Perf.Results.Statistics;

/// <summary>
/// How many times the baseline the other side is: e to the difference of the sides' means over launch medians of logarithms, with
/// Student's t interval over launches.
/// </summary>
public sealed record RatioEstimate
{
    private readonly LaunchSpread? _baseline;
    private readonly LaunchSpread? _other;

    private RatioEstimate(double shift, LaunchSpread? baseline, LaunchSpread? other)
    {
        (Shift, _baseline, _other) = (shift, baseline, other);
        if (baseline is not null && other is not null)
        {
            StandardError = Math.Sqrt(baseline.VarianceOfMean + other.VarianceOfMean);
            Degrees = LaunchSpread.DegreesOfDifference(baseline, other);
        }
    }

    /// <summary>The ratio.</summary>
    public double Ratio => Math.Exp(Shift);

    /// <summary>Where the spread between launches comes from; the record, when either side's does.</summary>
    public SpreadSource Spread =>
        (_baseline, _other) switch
        {
            (null, _) or (_, null) => SpreadSource.Unknown,
            ({ Source: SpreadSource.NoiseRecord }, _) or (_, { Source: SpreadSource.NoiseRecord }) => SpreadSource.NoiseRecord,
            _ => SpreadSource.Launches,
        };

    /// <summary>The natural logarithm of the ratio.</summary>
    internal double Shift { get; }

    /// <summary>Standard error of the shift; NaN when the spread is unknown.</summary>
    internal double StandardError { get; } = double.NaN;

    /// <summary>Degrees of freedom of the standard error; NaN when the spread is unknown.</summary>
    internal double Degrees { get; } = double.NaN;

    /// <summary>Standard deviation of a launch's median, of logarithms, taken over both sides; NaN when the spread is unknown.</summary>
    internal double LaunchSd => _baseline is null || _other is null ? double.NaN : Math.Sqrt((_baseline.Variance + _other.Variance) / 2);

    /// <summary>The interval of the ratio that each end exceeds with probability <paramref name="alpha"/>; null when the spread is
    /// unknown.</summary>
    public Interval? Interval(double alpha) =>
        Spread == SpreadSource.Unknown
            ? null
            : Statistics.Interval.Around(Shift, StudentT.Quantile(1 - alpha, Degrees) * StandardError).Exp();

    /// <summary>One-sided p-value against "the true shift is <paramref name="limit"/> or more".</summary>
    internal double PBelow(double limit) => StudentT.Cdf(Distance(limit), Degrees);

    /// <summary>One-sided p-value against "the true shift is <paramref name="limit"/> or less".</summary>
    internal double PAbove(double limit) => StudentT.Cdf(-Distance(limit), Degrees);

    /// <summary>Estimates other / baseline.</summary>
    /// <param name="baseline">At least one launch.</param>
    /// <param name="other">At least one launch.</param>
    /// <param name="baselineNoise">Recorded noise of the baseline's case on its machine, for when its launches are too few.</param>
    /// <param name="otherNoise">The same of the other side.</param>
    internal static RatioEstimate Of(
        LogSample baseline,
        LogSample other,
        LaunchNoise? baselineNoise = null,
        LaunchNoise? otherNoise = null
    ) => new(other.LaunchMean - baseline.LaunchMean, LaunchSpread.Of(baseline, baselineNoise), LaunchSpread.Of(other, otherNoise));

    /// <summary>From a limit to the shift in standard errors. Without any spread at all the distance is endless, or none.</summary>
    private double Distance(double limit) => StandardError == 0 && Shift == limit ? 0 : (Shift - limit) / StandardError;
}
