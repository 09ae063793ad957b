using CsCheck;
using Llama3Perf.Results.Statistics;
using Perfolizer.Mathematics.SignificanceTesting.Base;
using Perfolizer.Mathematics.SignificanceTesting.MannWhitney;
using Perfolizer.Metrology;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class MannWhitneyTests
{
    private static readonly Gen<double[]> Tied = Gen.Int[0, 4].Select(i => (double)i).Array[1, 6].Select(values => values.Order().ToArray());

    // Two samples without a common value: even whole numbers, dealt to both.
    private static readonly Gen<(double[] X, double[] Y)> Untied =
        from values in Gen.Int[0, 40].Select(i => 2.0 * i).Array[2, 24].Select(values => values.Distinct().ToArray())
        where values.Length > 1
        from x in Gen.Int[1, values.Length - 1]
        select (values[..x].Order().ToArray(), values[x..].Order().ToArray());

    [Fact]
    public void P_is_the_share_of_all_assignments_that_are_as_extreme() => Gen.Select(Tied, Tied).Sample((x, y) =>
        Assert.Equal(ByEnumeration(x, y), MannWhitney.Greater(x, y), 1e-12));

    [Fact]
    public void Without_ties_it_is_Perfolizers() => Untied.Sample(sides =>
    {
        (double[] x, double[] y) = sides;
        double expected = MannWhitneyTest.Instance.Perform(new Pragmastat.Sample(y), new Pragmastat.Sample(x), AlternativeHypothesis.Greater, Threshold.Zero).PValue;
        Assert.Equal(expected, MannWhitney.Greater(x, y), 1e-12);
    });

    [Fact]
    public void The_permeability_example_of_Hollander_and_Wolfe()
    {
        double[] atTerm = [0.73, 0.80, 0.83, 1.04, 1.38, 1.45, 1.46, 1.64, 1.89, 1.91];
        double[] early = [0.74, 0.88, 0.90, 1.15, 1.21];

        Assert.Equal(0.1272, MannWhitney.Greater(early, atTerm), 0.00005);
        Assert.Equal(0.2544, MannWhitney.TwoSided(early, atTerm), 0.00005);
        Assert.Equal(0.305, PairwiseDifferences.Median(early, atTerm), 1e-12);
    }

    [Fact]
    public void Fifteen_against_fifteen_is_exact()
    {
        double[] low = [.. Enumerable.Range(0, 15).Select(i => (double)i)];
        double[] high = [.. low.Select(value => value + 100)];

        Assert.Equal(1 / 155_117_520.0, MannWhitney.Greater(low, high), 1e-20);
        Assert.Equal(1 / 155_117_520.0, MannWhitney.SmallestP(15, 15), 1e-20);
        Assert.Equal(1, MannWhitney.Less(low, high), 1e-12);

        // U <= 64 is the two-sided 5 % region of the published tables.
        Assert.Equal(65, MannWhitney.LowerCriticalCount(15, 15, 0.025));
        Assert.Equal(0, MannWhitney.LowerCriticalCount(3, 3, 0.025));
        Assert.Equal(1, MannWhitney.LowerCriticalCount(4, 4, 0.025));
    }

    [Fact]
    public void The_approximation_takes_over_where_it_is_near()
    {
        double[] x = [.. Enumerable.Range(0, 31).Select(i => (double)i)];
        foreach (double shift in new[] { 0.5, 2.5, 4.5, 8.5, 12.5 })
        {
            double[] y = [.. x.Select(value => value + shift)];
            int u = x.Sum(a => y.Count(b => b > a));
            double exact = RankSumDistribution.OfU(31, 31).AtLeast(u);
            Assert.InRange(exact, 1e-7, 0.5);

            // Far out it errs on the side of no alarm.
            Assert.InRange(MannWhitney.Greater(x, y) / exact, 0.95, exact > 1e-3 ? 1.05 : 3);
        }
    }

    [Fact]
    public void The_approximation_corrects_for_ties_and_continuity()
    {
        // z = (|U - nm/2| - 1/2) / sqrt(nm/12 · (N + 1 - sum(t³ - t) / (N(N - 1)))), worked out by hand for two values.
        double[] x = [.. Enumerable.Repeat(0.0, 30), .. Enumerable.Repeat(1.0, 10)];
        double[] y = [.. Enumerable.Repeat(0.0, 20), .. Enumerable.Repeat(1.0, 20)];
        double ties = 50.0 * 50 * 50 - 50 + 30.0 * 30 * 30 - 30;
        double u = 20 * 30 + (20 * 30 + 20 * 10) / 2.0;
        double z = (u - 800 - 0.5) / Math.Sqrt(1600 / 12.0 * (81 - ties / (80 * 79)));
        Assert.Equal(Normal.UpperTail(z), MannWhitney.Greater(x, y), 1e-14);
        Assert.Equal(1, MannWhitney.Greater([.. Enumerable.Repeat(1.0, 40)], [.. Enumerable.Repeat(1.0, 40)]));
    }

    [Fact]
    public void Swapping_the_sides_swaps_the_tails() => Gen.Select(Tied, Tied).Sample((x, y) =>
    {
        Assert.Equal(MannWhitney.Greater(x, y), MannWhitney.Less(y, x), 1e-15);
        Assert.Equal(MannWhitney.TwoSided(x, y), MannWhitney.TwoSided(y, x), 1e-15);
        Assert.True(MannWhitney.Greater(x, y) + MannWhitney.Less(x, y) >= 1 - 1e-12);
    });

    [Fact]
    public void Moving_one_side_up_never_raises_p() => Gen.Select(Untied, Gen.Int[0, 20]).Sample((sides, by) =>
        Assert.True(MannWhitney.Greater(sides.X, [.. sides.Y.Select(value => value + 2 * by + 1)]) <= MannWhitney.Greater(sides.X, sides.Y) + 1e-12));

    [Fact]
    public void A_hundred_thousand_values_do_not_overflow()
    {
        double[] x = [.. Enumerable.Range(0, 100_000).Select(i => (double)i)];
        double[] y = [.. x.Select(value => value + 0.5)];
        Assert.InRange(MannWhitney.Greater(x, y), 0.49, 0.5);
        Assert.InRange(MannWhitney.Greater(x, [.. x.Select(value => value + 2000.5)]), 1e-60, 1e-50);
    }

    private static double ByEnumeration(double[] x, double[] y)
    {
        double[] all = [.. x, .. y];
        double observed = U(x, y);
        int extreme = 0;
        int total = 0;
        for (int mask = 0; mask < 1 << all.Length; mask++)
        {
            if (System.Numerics.BitOperations.PopCount((uint)mask) == y.Length)
            {
                double[] chosen = [.. all.Where((_, i) => (mask >> i & 1) == 1)];
                double[] others = [.. all.Where((_, i) => (mask >> i & 1) == 0)];
                total++;
                extreme += U(others, chosen) >= observed ? 1 : 0;
            }
        }

        return (double)extreme / total;

        static double U(double[] x, double[] y) => (from a in x from b in y select b > a ? 1.0 : b == a ? 0.5 : 0).Sum();
    }
}
