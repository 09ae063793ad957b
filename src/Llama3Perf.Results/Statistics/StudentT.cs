using Perfolizer.Mathematics.Distributions.ContinuousDistributions;

namespace Llama3Perf.Results.Statistics;

/// <summary>Student's t distribution with a real number of degrees of freedom.</summary>
internal static class StudentT
{
    /// <summary>P(T &lt;= t); at an infinite t 0 or 1.</summary>
    public static double Cdf(double t, double degrees) =>
        t switch
        {
            double.NegativeInfinity => 0,
            double.PositiveInfinity => 1,
            _ => new StudentDistribution(degrees).Cdf(t),
        };

    /// <summary>The value that is not exceeded with probability <paramref name="p"/>.</summary>
    public static double Quantile(double p, double degrees) => new StudentDistribution(degrees).Quantile(p);

    /// <summary>
    /// How many standard errors a true shift must measure to be found with a probability: the one-sided t test's value at
    /// <paramref name="alpha"/>, and room for the scatter of estimate and standard error. The noncentral t distribution by
    /// Abramowitz and Stegun, 26.7.10.
    /// </summary>
    public static double DetectableShift(double alpha, double power, double degrees)
    {
        double t = Quantile(1 - alpha, degrees);
        return (t * (1 - 1 / (4 * degrees))) + (Normal.Quantile(power) * Math.Sqrt(1 + (t * t / (2 * degrees))));
    }
}
