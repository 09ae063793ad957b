namespace Llama3Perf.Results.Statistics;

/// <summary>
/// A one-sided sign test that may be looked at after every value: "the median is <paramref name="limit"/> or less". Where a machine throws
/// in values far from the others, which a mean must follow, it goes by their number alone. The e-value is the likelihood ratio of a coin
/// that shows "above" with a probability evenly distributed over 1/2 to 1, against a fair one: 2^(n + 1) times the integral of
/// p^k (1 - p)^(n - k) over that range, k of n values being above the limit. It is a nonnegative supermartingale for any probability of
/// 1/2 or less (Ville, Étude critique de la notion de collectif, 1939; Robbins, Annals of Mathematical Statistics 41, 1970), whatever the
/// distribution of the values.
/// </summary>
/// <param name="limit">The median that is tested against.</param>
internal sealed class SequentialSignTest(double limit)
{
    private int _count;
    private int _above;

    /// <summary>Natural logarithm of the e-value as it stands.</summary>
    public double LogEvidence => Evidence(_count, _above);

    /// <summary>Adds a value.</summary>
    public void Add(double value)
    {
        _count++;
        _above += value > limit ? 1 : 0;
    }

    /// <summary>Natural logarithm of the e-value when so many values of all are above the limit.</summary>
    public static double Evidence(int count, int above)
    {
        // The incomplete beta function is a binomial tail: P(more than half of the Beta(k + 1, n - k + 1) mass lies above 1/2).
        double tail = 0;
        double term = Math.Pow(0.5, count + 1);
        for (int i = 0; i <= above; i++)
        {
            tail += term;
            term *= (count + 1.0 - i) / (i + 1);
        }

        double logBeta = 0;
        for (int i = 1; i <= above; i++)
        {
            logBeta += Math.Log(i) - Math.Log(count - above + i);
        }

        return ((count + 1) * Math.Log(2)) + logBeta - Math.Log(count + 1) + Math.Log(tail);
    }
}
