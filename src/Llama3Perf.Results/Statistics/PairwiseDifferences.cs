namespace Llama3Perf.Results.Statistics;

/// <summary>
/// Order statistics of all n·m differences between two samples, without making them: a search over the value, each step
/// counting the pairs below it in one pass over both sorted samples, until so few differences are left between the bounds
/// that they can be listed. O((n + m) · steps) time with about ten steps, O(n + m) memory, exact result.
/// </summary>
internal static class PairwiseDifferences
{
    /// <summary>Steps over the value after which the bits are halved: many equal differences never become few.</summary>
    private const int ValueSteps = 60;

    private const int FewPairs = 64;

    /// <summary>The <paramref name="rank"/>-th smallest of y_j - x_i.</summary>
    /// <param name="x">Ascending.</param>
    /// <param name="y">Ascending.</param>
    /// <param name="rank">From 1 to n·m.</param>
    public static double Select(ReadOnlySpan<double> x, ReadOnlySpan<double> y, long rank)
    {
        long pairs = (long)x.Length * y.Length;
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, pairs);

        // The answer is the smallest double that enough differences do not exceed: above low, at most high. Subtraction
        // rounds monotonically, so the counts are right for the rounded differences too.
        double low = double.NegativeInfinity;
        double high = y[^1] - x[0];
        long below = 0;
        long upTo = pairs;
        long few = Math.Max(FewPairs, (x.Length + y.Length) / 8);
        double start = y[0] - x[^1];
        for (int step = 0; upTo - below > few; step++)
        {
            double bottom = Math.Max(low, start);
            double middle = bottom + (high - bottom) * Share(step, rank - below, upTo - below, few / 4);
            if (step >= ValueSteps || middle <= low || middle >= high)
            {
                middle = MiddleDouble(bottom, high);
            }

            if (middle <= low || middle >= high)
            {
                // There is no double between the two.
                return high;
            }

            long count = CountUpTo(x, y, middle);
            if (count >= rank)
            {
                (high, upTo) = (middle, count);
            }
            else
            {
                (low, below) = (middle, count);
            }
        }

        double[] left = Between(x, y, low, high, (int)(upTo - below));
        Array.Sort(left);
        return left[rank - below - 1];
    }

    /// <summary>The middle difference, or the mean of the two in the middle: the Hodges-Lehmann shift from x to y.</summary>
    public static double Median(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        long pairs = (long)x.Length * y.Length;
        double lower = Select(x, y, (pairs + 1) / 2);
        return pairs % 2 == 1 ? lower : (lower + Select(x, y, pairs / 2 + 1)) / 2;
    }

    private static long CountUpTo(ReadOnlySpan<double> x, ReadOnlySpan<double> y, double limit)
    {
        long count = 0;
        int j = 0;
        foreach (double value in x)
        {
            while (j < y.Length && y[j] - value <= limit)
            {
                j++;
            }

            count += j;
        }

        return count;
    }

    /// <summary>The differences above <paramref name="low"/> and at most <paramref name="high"/>.</summary>
    private static double[] Between(ReadOnlySpan<double> x, ReadOnlySpan<double> y, double low, double high, int count)
    {
        double[] found = new double[count];
        int next = 0;
        int first = 0;
        foreach (double value in x)
        {
            while (first < y.Length && y[first] - value <= low)
            {
                first++;
            }

            for (int j = first; j < y.Length && y[j] - value <= high; j++)
            {
                found[next++] = y[j] - value;
            }
        }

        return found;
    }

    /// <summary>
    /// Where between the bounds to look next: by turns just below and just above the place that the counts point to, so that
    /// both bounds close in on it, and in the middle, so that nothing takes more than three times the steps of a bisection.
    /// </summary>
    private static double Share(int step, long rank, long pairs, long margin) => (step % 3) switch
    {
        0 => Math.Clamp((double)(rank - margin) / pairs, 0.001, 0.999),
        1 => Math.Clamp((double)(rank + margin) / pairs, 0.001, 0.999),
        _ => 0.5,
    };

    /// <summary>Halves the number of doubles between the two; written so that it cannot overflow.</summary>
    private static double MiddleDouble(double low, double high)
    {
        long a = ToOrdered(low);
        long b = ToOrdered(high);
        return FromOrdered((a & b) + ((a ^ b) >> 1));
    }

    /// <summary>Integers in the order of the doubles.</summary>
    private static long ToOrdered(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        return bits ^ ((bits >> 63) & long.MaxValue);
    }

    private static double FromOrdered(long ordered) => BitConverter.Int64BitsToDouble(ordered ^ ((ordered >> 63) & long.MaxValue));
}
