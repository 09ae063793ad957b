using CsCheck;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class PairwiseDifferencesTests
{
    // Few distinct values make ties, wide ones cross many binades and both signs.
    private static readonly Gen<double[]> Values = Gen.OneOf(Gen.Int[-3, 3].Select(i => (double)i), Gen.Double[-1, 1], Gen.Double[-1e12, 1e12])
        .Array[1, 12].Select(values => values.Order().ToArray());

    [Fact]
    public void Every_rank_equals_the_sorted_list_of_all_differences() => Gen.Select(Values, Values).Sample((x, y) =>
    {
        double[] all = [.. (from a in x from b in y select b - a).Order()];
        for (int rank = 1; rank <= all.Length; rank++)
        {
            Assert.Equal(all[rank - 1], PairwiseDifferences.Select(x, y, rank));
        }
    });

    [Fact]
    public void The_median_is_the_shift_that_another_library_finds() => Gen.Select(Values, Values).Sample((x, y) =>
    {
        double expected = Pragmastat.Toolkit.Shift(new Pragmastat.Sample(y), new Pragmastat.Sample(x)).NominalValue;
        Assert.Equal(expected, PairwiseDifferences.Median(x, y), Math.Abs(expected) * 1e-12 + 1e-12);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Large_samples_with_many_equal_values_are_exact(int distinct)
    {
        Random random = new(distinct);
        double[] x = [.. Enumerable.Range(0, 300).Select(_ => Math.Log(100 + random.Next(distinct))).Order()];
        double[] y = [.. Enumerable.Range(0, 400).Select(_ => Math.Log(100 + random.Next(distinct))).Order()];
        double[] all = [.. (from a in x from b in y select b - a).Order()];
        foreach (int rank in new[] { 1, 2, 100, 55_000, 60_000, 60_001, 119_000, 120_000 })
        {
            Assert.Equal(all[rank - 1], PairwiseDifferences.Select(x, y, rank));
        }
    }

    [Fact]
    public void A_rank_outside_the_differences_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => PairwiseDifferences.Select([1, 2], [1, 2], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => PairwiseDifferences.Select([1, 2], [1, 2], 5));
    }

    [Fact]
    public void Ten_thousand_million_differences_are_never_made()
    {
        double[] x = [.. Enumerable.Range(0, 100_000).Select(i => i / 100_000.0)];
        double[] y = [.. x.Select(value => value + 0.25)];
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(0.25, PairwiseDifferences.Median(x, y), 1e-9);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000_000);
    }
}
