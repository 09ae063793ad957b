namespace Llama3Perf.Results.Statistics;

/// <summary>
/// A one-sided t test that may be looked at after every value, as often and for as long as one likes: "the mean is
/// <paramref name="limit"/> or less" is rejected wrongly with probability alpha at most over all looks together, whatever the
/// unknown standard deviation. The e-value is the likelihood ratio of the t statistics with the mean above the limit, half normally
/// distributed in standard deviations, against the mean at the limit; the standard deviation has the right Haar prior. It is a
/// nonnegative martingale at the limit, so by Ville's inequality it ever reaches 1 / alpha with probability alpha at most; below the
/// limit every look is lower still, since shifting all values down lowers each t. (Pérez-Ortiz, Lardy, de Heide and Grünwald,
/// E-statistics, group invariance and anytime-valid testing, Annals of Statistics 52, 2024; the closed form for the normal prior is
/// that of Lindon, Ham, Tingley and Bojinov, arXiv 2210.08589, 2022, and the half normal one multiplies it by twice the posterior
/// probability of the mean above the limit, a Student t probability.)
/// </summary>
/// <param name="limit">The mean that is tested against.</param>
internal sealed class SequentialTTest(double limit)
{
    /// <summary>
    /// Variance of the prior of the mean, in variances of a value. At 4 a mean of 1, 2.5 and 5 standard deviations is found in 15, 6
    /// and 5 values at alpha 0.01, half of the time; anything from 1 to 16 costs at most a value or two more.
    /// </summary>
    private const double PriorVariance = 4;

    private int _count;
    private double _mean;
    private double _squares;

    /// <summary>Adds a value.</summary>
    public void Add(double value)
    {
        _count++;
        double before = value - _mean;
        _mean += before / _count;
        _squares += before * (value - _mean);
    }

    /// <summary>Natural logarithm of the e-value as it stands.</summary>
    public double LogEvidence => LogEvidenceOf(_count, _mean, _count < 2 ? 0 : _squares / (_count - 1), limit);

    /// <summary>Natural logarithm of the e-value of so many values with the mean and the variance of these.</summary>
    public static double LogEvidenceOf(IReadOnlyList<double> values, int count, double limit)
    {
        double mean = values.Average();
        double variance = values.Count < 2 ? 0 : values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
        return LogEvidenceOf(values.Count < 2 ? 1 : count, mean, variance, limit);
    }

    private static double LogEvidenceOf(int count, double mean, double variance, double limit) =>
        count < 2 ? 0
        : mean == limit ? LogEvidenceOfT(count, 0) // Also where the values do not scatter at all, which is 0/0.
        : LogEvidenceOfT(count, (mean - limit) / Math.Sqrt(variance / count));

    /// <summary>Natural logarithm of the e-value of n values with a t statistic: below 0 it speaks for the limit.</summary>
    private static double LogEvidenceOfT(int n, double t)
    {
        double degrees = n - 1;
        double shrink = 1 + (n * PriorVariance);

        // Both ratios stay finite for an endless t, that of values without any spread.
        double share = double.IsInfinity(t) ? 1 : t * t / (degrees + (t * t));
        double bothSides = (-0.5 * Math.Log(shrink)) - (n / 2.0 * Math.Log(1 - (share * n * PriorVariance / shrink)));
        double above = Math.Sign(t) * n * Math.Sqrt(PriorVariance) * Math.Sqrt(share / ((shrink * (1 - share)) + share));
        return bothSides + Math.Log(2 * StudentT.Cdf(above, n));
    }
}
