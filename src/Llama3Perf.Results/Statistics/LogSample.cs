using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Statistics;

/// <summary>
/// The values of one metric of one case, as natural logarithms: differences of logarithms are ratios, and timing noise is
/// multiplicative. The launches that the values came from are kept apart, because they are what repeats independently.
/// </summary>
internal sealed class LogSample
{
    private readonly double[][] _launches;
    private readonly double[] _medians;
    private double? _median;

    /// <summary>A sample of launches.</summary>
    /// <param name="launches">Values of each launch, all finite and above 0; launches without a value are left out.</param>
    /// <exception cref="ArgumentException">A value has no logarithm.</exception>
    public LogSample(IEnumerable<IReadOnlyCollection<double>> launches)
        : this([.. launches.Where(launch => launch.Count > 0).Select(launch => launch.Select(Log).ToArray())]) { }

    private LogSample(double[][] logarithms)
    {
        _launches = logarithms;
        _medians = [.. logarithms.Select(launch => launch.Median())];
    }

    /// <summary>A sample whose logarithms are known.</summary>
    public static LogSample OfLogarithms(double[][] launches) => new(launches);

    /// <summary>
    /// A metric of a case, of one run or several. Iterations that broke off do not count, nor those where the metric is
    /// unknown or 0, as the inter-token latency of a single token is.
    /// </summary>
    public static LogSample Of(IEnumerable<Sample> samples, Column<Sample> metric)
    {
        Dictionary<(string RunId, int LaunchIndex), List<double>> launches = [];
        foreach ((string runId, int launchIndex, double? known) in Values(samples, metric))
        {
            if (known is not { } value || value <= 0)
            {
                continue;
            }

            if (!launches.TryGetValue((runId, launchIndex), out List<double>? values))
            {
                launches.Add((runId, launchIndex), values = []);
            }

            values.Add(value);
        }

        return new LogSample(launches.Values);
    }

    // Without making the samples where they are kept by columns.
    private static IEnumerable<(string RunId, int LaunchIndex, double? Value)> Values(IEnumerable<Sample> samples, Column<Sample> metric) =>
        samples is SampleList list && list.Has(metric)
            ? list.Values(metric)
            : samples.Where(sample => sample.Completed).Select(sample => (sample.Run.RunId, sample.LaunchIndex, metric.Value(sample)));

    /// <summary>The launches of several samples together.</summary>
    public static LogSample Join(IEnumerable<LogSample> samples) => new([.. samples.SelectMany(sample => sample._launches)]);

    /// <summary>Number of values.</summary>
    public int Count => _launches.Sum(launch => launch.Length);

    /// <summary>Number of launches that gave a value.</summary>
    public int LaunchCount => _launches.Length;

    /// <summary>Iterations of the shortest launch; 0 without one.</summary>
    public int LeastIterations => _launches.Select(launch => launch.Length).DefaultIfEmpty().Min();

    /// <summary>Median of the values in the metric's own unit; NaN without values.</summary>
    public double Median => _median ??= Count == 0 ? double.NaN : MedianOf(_launches);

    /// <summary>The logarithms of each launch, in the order they were given.</summary>
    public IReadOnlyList<double[]> Launches => _launches;

    /// <summary>Mean of the launches' medians; NaN without values.</summary>
    public double LaunchMean => Mean(_medians);

    /// <summary>Variance of the launches' medians; NaN with fewer than two.</summary>
    public double LaunchVariance => Squares(_medians) / (LaunchCount - 1);

    /// <summary>Variance of the iterations around their launch's mean, pooled; 0 when no launch has two.</summary>
    public double WithinVariance => Count == LaunchCount ? 0 : _launches.Sum(Squares) / (Count - LaunchCount);

    // Not a query, and not kept: copies of a million values are what a comparison would need most of its memory for.
    private static double MedianOf(double[][] launches)
    {
        double[] all = new double[launches.Sum(launch => launch.Length)];
        int at = 0;
        foreach (double[] launch in launches)
        {
            launch.CopyTo(all, at);
            at += launch.Length;
        }

        Array.Sort(all);
        return (Math.Exp(all[(all.Length - 1) / 2]) + Math.Exp(all[all.Length / 2])) / 2;
    }

    private static double Squares(double[] values)
    {
        double mean = Mean(values);
        double squares = 0;
        foreach (double value in values)
        {
            squares += (value - mean) * (value - mean);
        }

        return squares;
    }

    private static double Mean(double[] values)
    {
        double sum = 0;
        foreach (double value in values)
        {
            sum += value;
        }

        return sum / values.Length;
    }

    private static double Log(double value) =>
        value > 0 && double.IsFinite(value)
            ? Math.Log(value)
            : throw new ArgumentException($"A value of {value} has no logarithm.", nameof(value));
}
