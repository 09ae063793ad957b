using CsCheck;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class AnytimeTestTests
{
    private static readonly Gen<double[]> s_values = Gen.Double[-1, 1].Array[2, 30];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(9, 9)]
    [InlineData(20, 17)]
    [InlineData(6, 2)]
    [InlineData(5, 0)]
    public void Evidence_of_signs_is_the_likelihood_ratio_over_the_prior(int count, int above)
    {
        // The definition, integrated numerically.
        const int Steps = 100_000;
        double integral = 0;
        for (int i = 0; i < Steps; i++)
        {
            double p = 0.5 + (0.5 * (i + 0.5) / Steps);
            integral += Math.Pow(2 * p, above) * Math.Pow(2 * (1 - p), count - above) / Steps;
        }

        Assert.Equal(Math.Log(integral), SequentialSignTest.Evidence(count, above), 1e-6);
    }

    [Fact]
    public void Signs_of_a_fair_coin_are_worth_nothing_on_average()
    {
        // A supermartingale: from any state, the next value leaves the expected e-value as it is; less so below one half.
        for (int count = 0; count < 40; count++)
        {
            for (int above = 0; above <= count; above++)
            {
                double now = Math.Exp(SequentialSignTest.Evidence(count, above));
                double up = Math.Exp(SequentialSignTest.Evidence(count + 1, above + 1));
                double down = Math.Exp(SequentialSignTest.Evidence(count + 1, above));
                Assert.Equal(now, (up + down) / 2, now * 1e-9);
                Assert.True(down <= up);
            }
        }
    }

    [Fact]
    public void A_p_value_never_rises_and_two_sides_are_never_both_sure() =>
        s_values.Sample(values =>
        {
            (AnytimeTest up, AnytimeTest down) = (new AnytimeTest(0), new AnytimeTest(0));
            double before = 1;
            foreach (double value in values)
            {
                up.Add(value);
                down.Add(-value);
                Assert.InRange(up.P, 0, before);
                before = up.P;
            }
        });

    [Fact]
    public void A_value_far_from_the_others_does_not_stop_it()
    {
        AnytimeTest both = new(0);
        for (int i = 0; i < 16; i++)
        {
            double value = i == 7 ? -40 : 1 + (i % 3 * 0.1);
            both.Add(value);
        }

        Assert.True(both.P < 0.01);
        SequentialTTest late = new(0);
        Array.ForEach([-40, 1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.0, 1.1, 1.2], late.Add);
        Assert.True(late.LogEvidence < Math.Log(2));
    }

    [Fact]
    public void It_costs_the_better_of_the_two_a_factor_of_two_at_most() =>
        s_values.Sample(values =>
        {
            (AnytimeTest both, SequentialTTest mean, SequentialSignTest median) = (new(0), new(0), new(0));
            (double t, double sign) = (0, 0);
            foreach (double value in values)
            {
                both.Add(value);
                mean.Add(value);
                median.Add(value);
                (t, sign) = (Math.Max(t, mean.LogEvidence), Math.Max(sign, median.LogEvidence));
            }

            Assert.True(both.P <= 2 * Math.Exp(-Math.Max(t, sign)) * (1 + 1e-9));
        });

    [Fact]
    public void The_bound_is_where_the_test_rejects() =>
        Gen.Select(s_values, Gen.Double[0.001, 0.1])
            .Sample(
                (values, alpha) =>
                {
                    double bound = AnytimeTest.Bound(values, alpha);
                    if (double.IsFinite(bound))
                    {
                        // One look, at the end: the largest e-value of the test may be an earlier one, so it rejects where the bound does.
                        AnytimeTest below = new(bound - 1e-6);
                        Array.ForEach(values, below.Add);
                        Assert.True(below.P < alpha * (1 + 1e-6));
                        Assert.False(AnytimeTest.WouldReject(values, values.Length, bound + 1e-6, alpha));
                    }
                }
            );

    [Fact]
    public void A_value_at_the_limit_is_not_above_it()
    {
        (SequentialSignTest at, SequentialSignTest below) = (new(0), new(0));
        at.Add(0);
        below.Add(-1);
        Assert.Equal(SequentialSignTest.Evidence(1, 0), at.LogEvidence);
        Assert.Equal(SequentialSignTest.Evidence(1, 0), below.LogEvidence);

        // Seven ties and a value above say as much for either look: with the ties counted as above the signs alone would decide.
        double[] values = [0, 0, 0, 0, 0, 0, 0, 0.001];
        Assert.False(AnytimeTest.WouldReject(values, values.Length, 0, 0.5));
    }

    [Fact]
    public void More_of_the_same_has_as_large_a_part_above_the_limit()
    {
        // One of eight values is far below, so that the mean shows nothing: 28 of 32 signs decide, and 7 of 8 do not.
        double[] values = [1, 1.1, 1.2, 1, 1.1, 1.2, 1, -40];
        Assert.False(AnytimeTest.WouldReject(values, 8, 0, 0.01));
        Assert.True(AnytimeTest.WouldReject(values, 32, 0, 0.01));
    }

    [Fact]
    public void One_value_has_no_spread_whatever_number_it_stands_for() => Assert.Equal(0, SequentialTTest.LogEvidenceOf([1.0], 100, 0));

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, true)]
    public void Five_values_are_the_first_that_can_decide_at_one_in_a_hundred(int count, bool canDecide)
    {
        double[] equal = [.. Enumerable.Repeat(1.0, count)];
        AnytimeTest test = new(0);
        Array.ForEach(equal, test.Add);

        Assert.Equal(canDecide, test.P < 0.01);
        Assert.Equal(canDecide, double.IsFinite(AnytimeTest.Bound(equal, 0.01)));
    }
}
