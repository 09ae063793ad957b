using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Tests.Statistics;

/// <summary>How many launches or blocks would decide: the first number with which the same figures would.</summary>
public sealed class PlanTests
{
    private const double Alpha = 0.01;

    // By hand with published quantiles of t. No change at a spread of 2 %, threshold 5 %: 0.0513 is above t x 0.02 x sqrt(2 / n) first at
    // n = 5, where t of 5 degrees of freedom is 3.365. A loss of 8 % at a spread of 5 %: first at 7, and at 12 when it is one of ten.
    [Theory]
    [InlineData(0, 0.02, 1, 3, 5)]
    [InlineData(0, 0.02, 1, 5, 6)]
    [InlineData(0.01, 0.0001, 1, 1, 3)]
    [InlineData(0.01, 0.0001, 1, 3, 4)]
    [InlineData(-0.08, 0.05, 1, 3, 7)]
    [InlineData(-0.08, 0.05, 10, 3, 12)]
    [InlineData(0, 0.1535, 1, 3, 100)]
    [InlineData(0, 0.1600, 1, 3, null)]
    public void Launches_are_the_first_number_that_decides(double gain, double spread, int family, int now, int? expected)
    {
        LogSample baseline = LogSample.OfLogarithms([
            [-spread],
            [0],
            [spread],
        ]);
        foreach (bool isHigherBetter in new[] { true, false })
        {
            double shift = isHigherBetter ? gain : -gain;
            RatioEstimate ratio = RatioEstimate.Of(
                baseline,
                LogSample.OfLogarithms([
                    [shift - spread],
                    [shift],
                    [shift + spread],
                ])
            );
            // For a time the threshold is a little nearer: 5 % more is a logarithm of 0.0488.
            Tolerance tolerance = new(isHigherBetter ? 0.05 : (1 / 0.95) - 1, isHigherBetter);
            ChangeEvidence evidence = ChangeEvidence.Of(ratio, tolerance, isUnsteady: false)!;
            Assert.Equal(expected, LaunchPlan.LaunchesToDecide(ratio, evidence, Alpha, family, now));
        }
    }

    [Fact]
    public void A_loss_within_the_threshold_can_only_become_a_pass()
    {
        LogSample baseline = LogSample.OfLogarithms([
            [-0.0001],
            [0],
            [0.0001],
        ]);
        RatioEstimate ratio = RatioEstimate.Of(
            baseline,
            LogSample.OfLogarithms([
                [-0.0512],
                [-0.0511],
                [-0.0510],
            ])
        );
        Tolerance rate = new(0.05, IsHigherBetter: true);
        ChangeEvidence evidence = ChangeEvidence.Of(ratio, rate, isUnsteady: false)!;

        // 0.00019 above the threshold: t x error is 0.00021 with five launches and 0.00018 with six.
        Assert.Equal(6, LaunchPlan.LaunchesToDecide(ratio, evidence, Alpha, family: 1, now: 1));
        Assert.Null(LaunchPlan.LaunchesToDecide(ratio, evidence with { Gain = rate.Loss }, Alpha, family: 1, now: 1));
    }

    [Fact]
    public void Blocks_without_a_change_are_a_pass_soon_and_without_two_nobody_knows()
    {
        Assert.Null(Sequence(0).BlocksToDecide(Alpha, 1));
        Assert.Null(Sequence(-0.5, 0.5).BlocksToDecide(Alpha, 1));
        Assert.NotNull(Sequence(-0.001, 0.001).BlocksToDecide(Alpha, 1));
        Assert.Equal(11, Sequence(new double[10]).BlocksToDecide(Alpha, 1));
    }

    [Theory]
    [InlineData(0, 0.03, 1)]
    [InlineData(-0.10, 0.05, 1)]
    [InlineData(-0.10, 0.05, 10)]
    [InlineData(-0.02, 0.01, 1)]
    public void Blocks_are_the_first_number_that_decides(double gain, double spread, int family)
    {
        double[] gains = [gain - spread, gain, gain + spread];
        foreach (bool isHigherBetter in new[] { true, false })
        {
            Tolerance tolerance = new(0.05, isHigherBetter);
            BlockSequence sequence = new(tolerance);
            Array.ForEach(gains, value => sequence.Add(isHigherBetter ? value : -value));
            int blocks = sequence.BlocksToDecide(Alpha, family)!.Value;

            Assert.InRange(blocks, gains.Length + 1, BlockSequence.MostBlocks);
            Assert.True(Decides(blocks));
            Assert.DoesNotContain(Enumerable.Range(gains.Length + 1, blocks - gains.Length - 1), Decides);

            bool Decides(int count) =>
                gain > tolerance.Loss
                    ? AnytimeTest.WouldReject(gains, count, tolerance.Loss, Alpha)
                    : AnytimeTest.WouldReject([.. gains.Select(value => -value)], count, 0, Alpha / family);
        }
    }

    [Fact]
    public void The_interval_of_blocks_holds_their_median()
    {
        // Of 121 blocks 61 show no change and the others 10 % more: their mean is surely above 0, and their median is 0.
        BlockSequence sequence = new(new Tolerance(0.05, IsHigherBetter: true));
        BlockSequence mirrored = new(new Tolerance(0.05, IsHigherBetter: true));
        for (int i = 0; i < 121; i++)
        {
            sequence.Add(i % 2 * 0.1);
            mirrored.Add(i % 2 * -0.1);
        }

        Interval interval = sequence.Interval(Alpha)!;
        Assert.Equal((0.0, 1.0), (sequence.LogRatio, interval.Low));
        Assert.InRange(interval.High, Math.Exp(0.05), Math.Exp(0.1));
        Assert.Equal(1, mirrored.Interval(Alpha)!.High);
        Assert.Equal(1 / interval.High, mirrored.Interval(Alpha)!.Low, 1e-6);
    }

    [Fact]
    public void Blocks_spread_as_their_variance_says_and_one_is_no_evidence()
    {
        BlockSequence sequence = Sequence(0.01);
        Assert.Equal((1, null, null), (sequence.Count, sequence.Evidence(isUnsteady: false), sequence.Interval(Alpha)));
        sequence.Add(0.03);
        Assert.NotNull(sequence.Evidence(isUnsteady: false));
        Assert.NotNull(sequence.Interval(0.4));
        sequence.Add(0.05);

        Assert.Equal(0.0004, sequence.Variance, 1e-15);
        ChangeEvidence evidence = sequence.Evidence(isUnsteady: true)!;
        Assert.Equal((0.03, true), (evidence.Gain, evidence.IsUnsteady));
        Assert.True(evidence.PNoGain < evidence.PNoLoss);
        Assert.True(evidence.PLossOfThreshold < evidence.PNoGain);
    }

    private static BlockSequence Sequence(params double[] logRatios)
    {
        BlockSequence sequence = new(new Tolerance(0.05, IsHigherBetter: true));
        Array.ForEach(logRatios, sequence.Add);
        return sequence;
    }
}
