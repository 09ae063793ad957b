namespace Llama3Perf.Results.Statistics;

/// <summary>
/// Order statistics of all n·m differences between two samples, without making them: bisection over the value, each step
/// counting the pairs below it in one pass over both sorted samples. O((n + m) · 64) time, no memory, exact result.
/// </summary>
internal static class PairwiseDifferences
{
    /// <summary>The <paramref name="rank"/>-th smallest of y_j - x_i.</summary>
    /// <param name="x">Ascending.</param>
    /// <param name="y">Ascending.</param>
    /// <param name="rank">From 1 to n·m.</param>
    public static double Select(ReadOnlySpan<double> x, ReadOnlySpan<double> y, long rank)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, (long)x.Length * y.Length);

        // The answer is the smallest double that enough differences do not exceed. Subtraction rounds monotonically,
        // so the counts are right for the rounded differences too.
        long low = ToOrdered(y[0] - x[^1]);
        long high = ToOrdered(y[^1] - x[0]);
        while (low < high)
        {
            // Written so that it cannot overflow: the range may span all doubles.
            long middle = (low & high) + ((low ^ high) >> 1);
            if (CountUpTo(x, y, FromOrdered(middle)) >= rank)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }

        return FromOrdered(low);
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

    /// <summary>Integers in the order of the doubles.</summary>
    private static long ToOrdered(double value)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        return bits ^ ((bits >> 63) & long.MaxValue);
    }

    private static double FromOrdered(long ordered) => BitConverter.Int64BitsToDouble(ordered ^ ((ordered >> 63) & long.MaxValue));
}
