using CsCheck;
using Llama3Perf.Results.Statistics;
using MedianEstimate = Llama3Perf.Results.Statistics.MedianEstimate;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class EstimateTests
{
    private static readonly Gen<double[][]> Launches = Gen.Double[50, 150].Array[3, 6].Array[1, 4];

    [Fact]
    public void A_side_that_is_scaled_scales_the_ratio_and_its_interval() => Gen.Select(Launches, Launches, Gen.Double[0.5, 2]).Sample((x, y, factor) =>
    {
        RatioEstimate plain = RatioEstimate.Of(new LogSample(x), new LogSample(y), 0.95);
        RatioEstimate scaled = RatioEstimate.Of(new LogSample(x), new LogSample(y.Select(launch => launch.Select(value => value * factor).ToArray())), 0.95);
        Assert.Equal(plain.Ratio * factor, scaled.Ratio, 1e-9);
        Assert.Equal(plain.Interval is null, scaled.Interval is null);
        if (plain.Interval is { } before && scaled.Interval is { } after)
        {
            Assert.Equal(before.Low * factor, after.Low, before.Low * 1e-9);
            Assert.Equal(before.High * factor, after.High, before.High * 1e-9);
        }
    });

    [Fact]
    public void Swapping_the_sides_inverts_the_ratio_and_its_interval() => Gen.Select(Launches, Launches).Sample((x, y) =>
    {
        RatioEstimate there = RatioEstimate.Of(new LogSample(x), new LogSample(y), 0.95);
        RatioEstimate back = RatioEstimate.Of(new LogSample(y), new LogSample(x), 0.95);
        Assert.Equal(1, there.Ratio * back.Ratio, 1e-9);
        if (there.Interval is { } interval && back.Interval is { } inverse)
        {
            Assert.Equal(1, interval.Low * inverse.High, 1e-9);
            Assert.Equal(1, interval.High * inverse.Low, 1e-9);
            Assert.True(interval.Contains(there.Ratio));
        }
    });

    [Fact]
    public void The_interval_of_one_launch_a_side_is_Moses_and_says_so()
    {
        // 4 against 4: the critical count is 1, so the interval reaches from the smallest to the largest quotient.
        RatioEstimate ratio = RatioEstimate.Of(new LogSample([[100, 101, 102, 103]]), new LogSample([[90, 91, 92, 93]]), 0.95);
        Assert.False(ratio.CoversLaunches);
        Assert.Equal(90.0 / 103, ratio.Interval!.Low, 1e-12);
        Assert.Equal(93.0 / 100, ratio.Interval.High, 1e-12);
        Assert.Null(RatioEstimate.Of(new LogSample([[1, 2, 3]]), new LogSample([[1, 2, 3]]), 0.95).Interval);
    }

    [Fact]
    public void Launches_that_disagree_widen_the_interval()
    {
        LogSample steady = new([[99, 100, 101], [99, 100, 101], [99, 100, 101]]);
        LogSample apart = new([[89, 90, 91], [99, 100, 101], [109, 110, 111]]);
        RatioEstimate ratio = RatioEstimate.Of(steady, apart, 0.95);
        Assert.True(ratio.CoversLaunches);

        // Student's t with 4 degrees of freedom over the launch medians, pooled.
        double[] logs = [Math.Log(90), Math.Log(100), Math.Log(110)];
        double variance = logs.Sum(log => Math.Pow(log - logs.Average(), 2)) / 4;
        double half = 2.7764451 * Math.Sqrt(variance * 2 / 3);
        Assert.Equal(Math.Exp(-half), ratio.Interval!.Low / ratio.Ratio, 1e-6);
        Assert.Equal(Math.Exp(half), ratio.Interval.High / ratio.Ratio, 1e-6);
    }

    [Theory]
    [InlineData(5, 0, 0)]
    [InlineData(6, 1, 6)]
    [InlineData(15, 4, 12)]
    [InlineData(100, 40, 61)]
    [InlineData(1000, 469, 532)]
    public void The_interval_of_a_median_lies_between_the_published_ranks(int n, int low, int high)
    {
        MedianEstimate median = MedianEstimate.Of(new LogSample([[.. Enumerable.Range(1, n).Select(i => (double)i)]]), 0.95);
        Assert.Equal((n + 1) / 2.0, median.Median, 1e-9);
        Assert.Equal(low, median.Interval?.Low ?? 0, 1e-9);
        Assert.Equal(high, median.Interval?.High ?? 0, 1e-9);
    }

    [Fact]
    public void The_median_of_three_launches_covers_their_spread()
    {
        MedianEstimate median = MedianEstimate.Of(new LogSample([[90], [100], [110]]), 0.95);
        double[] logs = [Math.Log(90), Math.Log(100), Math.Log(110)];
        double half = 4.3026527 * Math.Sqrt(logs.Sum(log => Math.Pow(log - logs.Average(), 2)) / 2 / 3);
        Assert.True(median.CoversLaunches);
        Assert.Equal(100 * Math.Exp(-half), median.Interval!.Low, 1e-4);
    }

    [Theory]
    [InlineData(0.0, 0.93)]
    [InlineData(0.01, 0.93)]
    [InlineData(0.03, 0.93)]
    public void The_interval_covers_the_true_ratio_as_often_as_it_says(double betweenSd, double least)
    {
        Random random = new(42);
        int covered = 0;
        const int Trials = 1000;
        for (int trial = 0; trial < Trials; trial++)
        {
            RatioEstimate ratio = RatioEstimate.Of(Side(100), Side(95), 0.95);
            covered += ratio.Interval!.Contains(0.95) ? 1 : 0;
        }

        Assert.InRange(covered, Trials * least, Trials);

        LogSample Side(double centre) => new(Enumerable.Range(0, 3).Select(_ => centre * Math.Exp(betweenSd * Gauss())).Select(launch =>
            Enumerable.Range(0, 5).Select(_ => launch * Math.Exp(0.01 * Gauss())).ToArray()));

        double Gauss() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    [Fact]
    public void Values_without_a_logarithm_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new LogSample([[1, 0]]));
        Assert.Throws<ArgumentException>(() => new LogSample([[double.NaN]]));
        Assert.Throws<ArgumentException>(() => new LogSample([[double.PositiveInfinity]]));
    }
}
