using System.Collections.Concurrent;

namespace Llama3Perf.Results.Statistics;

/// <summary>
/// Exact distribution of a rank sum when every choice of the group is equally likely: the shift algorithm of
/// Streitberg and Röhmel (1986), which needs no special case for ties. Only sums of positive numbers, so small
/// probabilities keep their relative precision.
/// </summary>
internal sealed class RankSumDistribution
{
    private static readonly ConcurrentDictionary<(int, int), RankSumDistribution> Untied = new();

    private readonly double[] _upperTail;

    /// <summary>The distribution of the sum of <paramref name="take"/> of the scores.</summary>
    /// <param name="scores">Scores from 0 of all observations.</param>
    /// <param name="take">Size of the group.</param>
    public RankSumDistribution(ReadOnlySpan<int> scores, int take)
    {
        int[] ascending = [.. scores];
        Array.Sort(ascending);
        int largest = ascending[^take..].Sum();
        double[][] counts = new double[take + 1][];
        for (int k = 0; k <= take; k++)
        {
            counts[k] = new double[largest + 1];
        }

        counts[0][0] = 1;
        foreach (int score in ascending)
        {
            AddObservation(counts, score);
        }

        _upperTail = TailOf(counts[take]);
    }

    /// <summary>The distribution of U of two samples without ties: values 0 to n·m.</summary>
    public static RankSumDistribution OfU(int n, int m) => Untied.GetOrAdd((Math.Min(n, m), Math.Max(n, m)), static sizes =>
    {
        int[] scores = [.. Enumerable.Range(0, sizes.Item1 + sizes.Item2)];
        RankSumDistribution sums = new(scores, sizes.Item1);
        return new RankSumDistribution(sums._upperTail[(sizes.Item1 * (sizes.Item1 - 1) / 2)..]);
    });

    private RankSumDistribution(double[] upperTail) => _upperTail = upperTail;

    /// <summary>P(S >= sum).</summary>
    public double AtLeast(int sum) => sum <= 0 ? 1 : sum < _upperTail.Length ? _upperTail[sum] : 0;

    /// <summary>counts[k][s]: in how many ways k of the observations seen so far have the sum s.</summary>
    private static void AddObservation(double[][] counts, int score)
    {
        for (int k = counts.Length - 1; k > 0; k--)
        {
            Span<double> to = counts[k].AsSpan(Math.Min(score, counts[k].Length));
            Span<double> from = counts[k - 1].AsSpan(0, to.Length);
            for (int s = 0; s < to.Length; s++)
            {
                to[s] += from[s];
            }
        }
    }

    private static double[] TailOf(double[] counts)
    {
        double total = counts.Sum();
        double[] tail = new double[counts.Length];
        double sum = 0;
        for (int s = counts.Length - 1; s >= 0; s--)
        {
            sum += counts[s];
            tail[s] = sum / total;
        }

        return tail;
    }
}
