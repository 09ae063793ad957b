namespace Llama3Perf.Results.Statistics;

/// <summary>
/// A one-sided test of where values lie that may be looked at after every value: "they lie at <paramref name="limit"/> or lower" is
/// rejected wrongly with probability alpha at most over all looks together. Its e-value is the mean of those of
/// <see cref="SequentialTTest"/>, the fastest where values scatter evenly, and of <see cref="SequentialSignTest"/>, which a few values far
/// from the others do not stop; the mean of e-values is one (Vovk and Wang, E-values: calibration, combination and applications, Annals of
/// Statistics 49, 2021), and costs the better of the two at most a factor of 2.
/// </summary>
/// <param name="limit">The place that is tested against.</param>
internal sealed class AnytimeTest(double limit)
{
    private readonly SequentialTTest _mean = new(limit);
    private readonly SequentialSignTest _median = new(limit);
    private double _largest;

    /// <summary>p-value that holds at every look: one over the largest e-value so far.</summary>
    public double P => Math.Exp(-_largest);

    /// <summary>Adds a value.</summary>
    public void Add(double value)
    {
        _mean.Add(value);
        _median.Add(value);
        _largest = Math.Max(_largest, Mean(_mean.LogEvidence, _median.LogEvidence));
    }

    /// <summary>The highest place below these values that this look rejects; negative infinity while it rejects none.</summary>
    public static double Bound(IReadOnlyList<double> values, double alpha)
    {
        double wanted = -Math.Log(alpha);
        (double lowest, double highest) = (values.Min(), values.Max());
        double reach = 1e6 * (highest - lowest + 1e-9);
        (double low, double high) = (lowest - reach, highest);
        if (LogEvidence(values, values.Count, low) < wanted)
        {
            return double.NegativeInfinity;
        }

        while (high - low > 1e-9 * Math.Max(1, Math.Abs(high)))
        {
            double middle = low + ((high - low) / 2);
            (low, high) = LogEvidence(values, values.Count, middle) < wanted ? (low, middle) : (middle, high);
        }

        return low;
    }

    /// <summary>Whether so many values that lie and scatter as these do would reject the limit.</summary>
    public static bool WouldReject(IReadOnlyList<double> values, int count, double limit, double alpha) =>
        LogEvidence(values, count, limit) >= -Math.Log(alpha);

    private static double LogEvidence(IReadOnlyList<double> values, int count, double limit)
    {
        int above = values.Count(value => value > limit);
        return Mean(
            SequentialTTest.LogEvidenceOf(values, count, limit),
            SequentialSignTest.Evidence(count, (int)Math.Round((double)count * above / values.Count, MidpointRounding.AwayFromZero))
        );
    }

    private static double Mean(double first, double second)
    {
        (double low, double high) = (Math.Min(first, second), Math.Max(first, second));
        return high + Math.Log((1 + Math.Exp(low - high)) / 2);
    }
}
