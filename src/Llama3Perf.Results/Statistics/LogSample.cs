using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Statistics;

/// <summary>
/// The values of one metric of one case, as natural logarithms: differences of logarithms are ratios, and timing noise is
/// multiplicative. The launches that the values came from are kept apart, because they are what repeats independently.
/// </summary>
internal sealed class LogSample
{
    private readonly double[] _sorted;
    private readonly double[][] _launches;

    /// <summary>A sample of launches.</summary>
    /// <param name="launches">Values of each launch, all finite and above 0; launches without a value are left out.</param>
    /// <exception cref="ArgumentException">A value has no logarithm.</exception>
    public LogSample(IEnumerable<IReadOnlyCollection<double>> launches)
    {
        _launches = [.. launches.Where(launch => launch.Count > 0).Select(launch => launch.Select(Log).ToArray())];
        _sorted = [.. _launches.SelectMany(launch => launch)];
        Array.Sort(_sorted);
    }

    /// <summary>
    /// A metric of a case, of one run or several. Iterations that broke off do not count, nor those where the metric is
    /// unknown or 0, as the inter-token latency of a single token is.
    /// </summary>
    public static LogSample Of(IEnumerable<Sample> samples, Column<Sample> metric)
    {
        Dictionary<(string RunId, int LaunchIndex), List<double>> launches = [];
        foreach (Sample sample in samples)
        {
            if (!sample.Completed || metric.Value(sample) is not { } value || value <= 0)
            {
                continue;
            }

            if (!launches.TryGetValue((sample.Run.RunId, sample.LaunchIndex), out List<double>? values))
            {
                launches.Add((sample.Run.RunId, sample.LaunchIndex), values = []);
            }

            values.Add(value);
        }

        return new LogSample(launches.Values);
    }

    /// <summary>Number of values.</summary>
    public int Count => _sorted.Length;

    /// <summary>Number of launches that gave a value.</summary>
    public int LaunchCount => _launches.Length;

    /// <summary>Median of the values in the metric's own unit; NaN without values.</summary>
    public double Median => Count == 0 ? double.NaN : (Math.Exp(_sorted[(Count - 1) / 2]) + Math.Exp(_sorted[Count / 2])) / 2;

    /// <summary>The logarithms, ascending.</summary>
    public ReadOnlySpan<double> Sorted => _sorted;

    /// <summary>The logarithms of each launch, in the order they were given.</summary>
    public IReadOnlyList<double[]> Launches => _launches;

    /// <summary>Middle of logarithms.</summary>
    public static double MiddleOf(double[] values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static double Log(double value) => value > 0 && double.IsFinite(value)
        ? Math.Log(value)
        : throw new ArgumentException($"A value of {value} has no logarithm.", nameof(value));
}
