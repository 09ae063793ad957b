using Perfolizer.Mathematics.Distributions.ContinuousDistributions;

namespace Llama3Perf.Results.Statistics;

/// <summary>The standard normal distribution.</summary>
internal static class Normal
{
    /// <summary>The value that is exceeded with probability 1 - p, to about five digits.</summary>
    public static double Quantile(double p) => NormalDistribution.Standard.Quantile(p);
}
