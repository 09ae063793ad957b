using Perfolizer.Mathematics.Distributions.ContinuousDistributions;

namespace Llama3Perf.Results.Statistics;

/// <summary>The standard normal distribution.</summary>
internal static class Normal
{
    private const double SeriesEnd = 3;

    /// <summary>The value that is exceeded with probability 1 - p, to about five digits.</summary>
    public static double Quantile(double p) => NormalDistribution.Standard.Quantile(p);

    /// <summary>
    /// P(Z >= z) with full relative precision in the tail, where Perfolizer's 1 - Cdf is 0. Series and continued fraction of
    /// Abramowitz and Stegun, 26.2.11 and 26.2.14.
    /// </summary>
    public static double UpperTail(double z) => z switch
    {
        < 0 => 1 - UpperTail(-z),
        < SeriesEnd => 0.5 - Density(z) * Series(z),
        _ => Density(z) / ContinuedFraction(z),
    };

    private static double Density(double z) => Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI);

    /// <summary>z + z³/3 + z⁵/(3·5) + …</summary>
    private static double Series(double z)
    {
        double sum = 0;
        double term = z;
        for (int odd = 3; term > sum * 1e-17; odd += 2)
        {
            sum += term;
            term *= z * z / odd;
        }

        return sum;
    }

    /// <summary>z + 1/(z + 2/(z + 3/(z + …)))</summary>
    private static double ContinuedFraction(double z)
    {
        double value = z;
        for (int k = 100; k > 0; k--)
        {
            value = z + k / value;
        }

        return value;
    }
}
