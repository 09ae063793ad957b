using CsCheck;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class VerdictRuleTests
{
    private const double Alpha = 0.01;
    private static readonly Tolerance s_rate = Tolerance.Of(0.05, Direction.HigherIsBetter);

    // What launches can show: an estimate, a standard error, and the tests that follow from them.
    private static readonly Gen<ChangeEvidence> s_anything = Gen.Select(
            Gen.Double[-0.2, 0.2],
            Gen.Double[0.0001, 0.05],
            Gen.Double[2, 20],
            Gen.Bool
        )
        .Select(
            (gain, error, degrees, unsteady) =>
                new ChangeEvidence(
                    s_rate,
                    gain,
                    StudentT.Cdf(gain / error, degrees),
                    StudentT.Cdf(-gain / error, degrees),
                    StudentT.Cdf((s_rate.Loss - gain) / error, degrees),
                    unsteady
                )
        );

    [Fact]
    public void A_threshold_is_the_same_loss_for_rates_and_times()
    {
        Tolerance time = Tolerance.Of(0.05, Direction.LowerIsBetter);
        Assert.Equal((Math.Log(0.95), Math.Log(1.05)), (s_rate.Loss, s_rate.Gain));
        Assert.Equal((-Math.Log(1.05), -Math.Log(0.95)), (time.Loss, time.Gain));
        Assert.Equal(0.05, s_rate.ToLoss(s_rate.Loss), 1e-12);
        Assert.Equal(0.05, time.ToLoss(time.Loss), 1e-12);
        Assert.Equal(-0.05, s_rate.ToLoss(s_rate.Gain), 1e-12);
    }

    [Theory]
    [InlineData(-0.06, 0.009, 1, 1, MetricVerdict.Regression)]
    [InlineData(-0.06, 0.010, 1, 1, MetricVerdict.Inconclusive)] // alpha itself excludes nothing
    [InlineData(-0.0512, 0.0, 1, 1, MetricVerdict.Inconclusive)] // a loss within the threshold is none, however sure
    [InlineData(-0.0514, 0.0, 1, 1, MetricVerdict.Regression)]
    [InlineData(0.06, 1, 0.009, 0.001, MetricVerdict.Faster)]
    [InlineData(0.06, 1, 0.010, 0.001, MetricVerdict.Pass)]
    [InlineData(0.0487, 1, 0.0, 0.0, MetricVerdict.Pass)] // a gain within the threshold is a pass
    [InlineData(0.0489, 1, 0.0, 0.0, MetricVerdict.Faster)]
    [InlineData(-0.02, 0.2, 1, 0.009, MetricVerdict.Pass)]
    [InlineData(-0.02, 0.2, 1, 0.010, MetricVerdict.Inconclusive)]
    [InlineData(0.00, 0.5, 0.5, 0.2, MetricVerdict.Inconclusive)]
    [InlineData(-0.02, 0.001, 1, 0.001, MetricVerdict.Pass)] // a small loss is proven and so is that it is small
    public void The_rule_by_hand(double gain, double noLoss, double noGain, double lossOfThreshold, MetricVerdict expected) =>
        Assert.Equal(expected, Judge(new ChangeEvidence(s_rate, gain, noLoss, noGain, lossOfThreshold, IsUnsteady: false)));

    [Fact]
    public void The_threshold_itself_is_within_it()
    {
        Assert.Equal(MetricVerdict.Inconclusive, Judge(new ChangeEvidence(s_rate, s_rate.Loss, 0, 1, 1, IsUnsteady: false)));
        Assert.Equal(MetricVerdict.Pass, Judge(new ChangeEvidence(s_rate, s_rate.Gain, 1, 0, 0, IsUnsteady: false)));
    }

    [Fact]
    public void An_unsteady_side_decides_nothing()
    {
        Assert.Equal(MetricVerdict.Inconclusive, Judge(new ChangeEvidence(s_rate, -0.2, 0, 1, 1, IsUnsteady: true)));
        Assert.Equal(MetricVerdict.Inconclusive, Judge(new ChangeEvidence(s_rate, 0, 0.5, 0.5, 0, IsUnsteady: true)));
        Assert.Equal(MetricVerdict.Inconclusive, Judge(new ChangeEvidence(s_rate, 0.2, 1, 0, 0, IsUnsteady: true)));
    }

    [Fact]
    public void What_cannot_be_tested_counts_as_a_test_without_a_finding()
    {
        // 0.004 is below alpha for one or two tests and above it for three.
        ChangeEvidence loss = new(s_rate, -0.1, 0.004, 1, 1, IsUnsteady: false);
        Assert.Equal((MetricVerdict.Regression, 0.008), VerdictRule.Judge([loss, null], Alpha)[0]);
        (MetricVerdict verdict, double? p) = VerdictRule.Judge([loss, null, null], Alpha)[0];
        Assert.Equal((MetricVerdict.Inconclusive, 0.012), (verdict, Math.Round(p!.Value, 12)));
        Assert.Equal((MetricVerdict.Inconclusive, null), VerdictRule.Judge([loss, null], Alpha)[1]);

        ChangeEvidence gain = new(s_rate, 0.1, 1, 0.004, 0.005, IsUnsteady: false);
        Assert.Equal(MetricVerdict.Faster, VerdictRule.Judge([gain, null], Alpha)[0].Verdict);
        Assert.Equal(MetricVerdict.Pass, VerdictRule.Judge([gain, null, null], Alpha)[0].Verdict);
    }

    [Fact]
    public void A_pass_does_not_depend_on_the_size_of_the_family()
    {
        ChangeEvidence pass = new(s_rate, 0, 0.5, 0.5, 0.0099, IsUnsteady: false);
        Assert.All(VerdictRule.Judge([.. Enumerable.Repeat(pass, 500)], Alpha), judged => Assert.Equal(MetricVerdict.Pass, judged.Verdict));
    }

    [Fact]
    public void No_family_turns_a_pass_into_a_regression() =>
        Gen.Select(s_anything, s_anything.Array[0, 20])
            .Sample(
                (one, others) =>
                {
                    MetricVerdict alone = Judge(one);
                    MetricVerdict among = VerdictRule.Judge([one, .. others], Alpha)[0].Verdict;
                    Assert.True(
                        among == alone
                            || (alone == MetricVerdict.Regression && among == MetricVerdict.Inconclusive)
                            || (alone == MetricVerdict.Faster && among is MetricVerdict.Pass or MetricVerdict.Inconclusive)
                    );
                }
            );

    private static MetricVerdict Judge(ChangeEvidence evidence) => VerdictRule.Judge([evidence], Alpha)[0].Verdict;
}
