namespace Llama3Perf.Results.Statistics;

/// <summary>
/// The Mann-Whitney U test of whether one sample tends to lie above another. Up to <see cref="ExactLimit"/> observations
/// the p-value is exact, with ties conditionally on them; beyond, it is the normal approximation with tie and continuity
/// correction (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, section 4.1). Perfolizer's test agrees
/// without ties; with ties it rounds U, and its products of sizes overflow at 100,000 values.
/// </summary>
internal static class MannWhitney
{
    /// <summary>Largest n + m with an exact p-value.</summary>
    public const int ExactLimit = 60;

    /// <summary>One-sided p-value against "y tends to be larger than x".</summary>
    /// <param name="x">Ascending, not empty.</param>
    /// <param name="y">Ascending, not empty.</param>
    public static double Greater(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Ranking ranking = Ranking.Of(x, y);
        return ranking switch
        {
            _ when x.Length + y.Length > ExactLimit => NormalApproximation(ranking, x.Length, y.Length),
            { TieTerm: 0 } => RankSumDistribution.OfU(x.Length, y.Length).AtLeast((int)(ranking.TwiceU / 2)),
            _ => ExactWithTies(x, y, ranking.TwiceU),
        };
    }

    /// <summary>One-sided p-value against "y tends to be smaller than x".</summary>
    public static double Less(ReadOnlySpan<double> x, ReadOnlySpan<double> y) => Greater(y, x);

    /// <summary>Two-sided p-value: twice the smaller one-sided one, at most 1.</summary>
    public static double TwoSided(ReadOnlySpan<double> x, ReadOnlySpan<double> y) =>
        Math.Min(1, 2 * Math.Min(Greater(x, y), Less(x, y)));

    /// <summary>The smallest one-sided p-value that samples of these sizes can reach: 1 / C(n + m, n).</summary>
    public static double SmallestP(int n, int m)
    {
        double p = 1;
        for (int i = 1; i <= Math.Min(n, m); i++)
        {
            p *= (double)i / (Math.Max(n, m) + i);
        }

        return p;
    }

    /// <summary>The largest c with P(U &lt; c) at most <paramref name="probability"/> without a difference; 0 when there is none.</summary>
    public static long LowerCriticalCount(int n, int m, double probability)
    {
        long pairs = (long)n * m;
        if (n + m > ExactLimit)
        {
            double deviation = Math.Sqrt(pairs * (n + m + 1.0) / 12);
            return Math.Max(0, (long)Math.Floor(pairs / 2.0 - Normal.Quantile(1 - probability) * deviation));
        }

        // U is symmetric: P(U < c) = P(U > n·m - c).
        RankSumDistribution distribution = RankSumDistribution.OfU(n, m);
        int count = 0;
        while (count < pairs / 2 && distribution.AtLeast((int)pairs - count) <= probability)
        {
            count++;
        }

        return count;
    }

    private static double NormalApproximation(Ranking ranking, int n, int m)
    {
        double pairs = (double)n * m;
        double total = (double)n + m;
        double variance = pairs / 12 * (total + 1 - ranking.TieTerm / (total * (total - 1)));
        return variance <= 0 ? 1 : Normal.UpperTail((ranking.TwiceU / 2.0 - pairs / 2 - 0.5) / Math.Sqrt(variance));
    }

    private static double ExactWithTies(ReadOnlySpan<double> x, ReadOnlySpan<double> y, long twiceU)
    {
        double[] all = [.. x, .. y];
        Array.Sort(all);
        int[] scores = new int[all.Length];
        for (int i = 0, end; i < all.Length; i = end)
        {
            end = i + 1;
            while (end < all.Length && all[end] == all[i])
            {
                end++;
            }

            // Twice the middle rank, counted from 0, so that it is whole.
            Array.Fill(scores, i + end - 1, i, end - i);
        }

        return new RankSumDistribution(scores, y.Length).AtLeast((int)twiceU + y.Length * (y.Length - 1));
    }

    /// <param name="TwiceU">2 · (pairs with y above x) + pairs that are equal.</param>
    /// <param name="TieTerm">Sum of t³ - t over the groups of t equal values.</param>
    private sealed record Ranking(long TwiceU, double TieTerm)
    {
        public static Ranking Of(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
        {
            long twiceU = 0;
            double tieTerm = 0;
            int i = 0;
            int j = 0;
            while (i < x.Length || j < y.Length)
            {
                double value = j == y.Length || (i < x.Length && x[i] < y[j]) ? x[i] : y[j];
                int below = i;
                int sameX = CountEqual(x, ref i, value);
                int sameY = CountEqual(y, ref j, value);
                twiceU += (2L * below + sameX) * sameY;
                double tied = (double)sameX + sameY;
                tieTerm += tied * tied * tied - tied;
            }

            return new Ranking(twiceU, tieTerm);
        }

        private static int CountEqual(ReadOnlySpan<double> values, ref int position, double value)
        {
            int start = position;
            while (position < values.Length && values[position] == value)
            {
                position++;
            }

            return position - start;
        }
    }
}
