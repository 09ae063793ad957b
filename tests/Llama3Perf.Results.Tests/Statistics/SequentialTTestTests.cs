using CsCheck;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class SequentialTTestTests
{
    private static readonly Gen<double[]> s_values = Gen.Double[-1, 1].Array[1, 30];

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.9)]
    [InlineData(1.5)]
    public void The_evidence_is_the_likelihood_ratio_over_the_prior(double limit)
    {
        // The definition, integrated numerically: the mean above the limit is |N(0, 4)| standard deviations, the standard deviation has
        // the density 1/σ, and both are integrated out of the normal likelihood of the values; at the limit only the latter.
        double[] values = [0.3, 0.9, 0.5, 1.4, 0.7];
        SequentialTTest test = new(limit);
        for (int n = 1; n <= values.Length; n++)
        {
            test.Add(values[n - 1]);
            double[] centred = [.. values[..n].Select(value => value - limit)];
            double ratio =
                n < 2 ? 1 : Integral(delta => 2 * Density(delta / 2) / 2 * OverSigma(centred, delta), 0, 20) / OverSigma(centred, 0);
            Assert.Equal(Math.Log(ratio), test.LogEvidence, 1e-3);
        }

        Assert.Equal(limit < 0.5, test.LogEvidence > Math.Log(5));

        static double Density(double z) => Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI);
        static double OverSigma(double[] values, double delta) =>
            Integral(
                logSigma =>
                {
                    double sigma = Math.Exp(logSigma);
                    return values.Aggregate(1.0, (product, value) => product * Density((value / sigma) - delta) / sigma);
                },
                -6,
                6
            );
        static double Integral(Func<double, double> f, double from, double to)
        {
            const int Steps = 1200;
            double step = (to - from) / Steps;
            return Enumerable.Range(0, Steps).Sum(i => f(from + ((i + 0.5) * step))) * step;
        }
    }

    [Fact]
    public void It_does_not_depend_on_the_unit_and_moves_with_the_limit() =>
        // Whole numbers: adding the limit to them rounds nothing, so values without any spread have none on the other side either.
        Gen.Select(Gen.Int[-100, 100].Array[1, 30], Gen.Int[1, 10], Gen.Int[-100, 100])
            .Sample(
                (values, scale, by) =>
                {
                    (SequentialTTest plain, SequentialTTest scaled) = (new SequentialTTest(0), new SequentialTTest(by * scale));
                    foreach (int value in values)
                    {
                        plain.Add(value);
                        scaled.Add((value + by) * scale);
                        Assert.Equal(plain.LogEvidence, scaled.LogEvidence, 1e-6);
                    }
                }
            );

    [Fact]
    public void Values_all_shifted_up_never_give_less_evidence() =>
        Gen.Select(s_values, Gen.Double[0, 1])
            .Sample(
                (values, by) =>
                {
                    (SequentialTTest low, SequentialTTest high) = (new SequentialTTest(0), new SequentialTTest(0));
                    foreach (double value in values)
                    {
                        low.Add(value);
                        high.Add(value + by);
                        Assert.True(Math.Max(0, high.LogEvidence) >= Math.Max(0, low.LogEvidence) - 1e-9);
                    }
                }
            );

    [Theory]
    [InlineData(3, false)]
    [InlineData(4, true)]
    public void Four_values_are_the_first_that_can_decide_at_one_in_a_hundred(int count, bool canDecide)
    {
        SequentialTTest endless = new(0);
        for (int i = 0; i < count; i++)
        {
            endless.Add(1);
        }

        Assert.Equal(canDecide, endless.LogEvidence > Math.Log(100));
    }

    [Fact]
    public void A_mean_just_above_the_limit_is_told_from_one_just_below_it_by_nothing()
    {
        (SequentialTTest below, SequentialTTest above) = (new SequentialTTest(1e-9), new SequentialTTest(-1e-9));
        foreach (double value in new[] { -1.0, 0.5, 0.5, 0.0 })
        {
            below.Add(value);
            above.Add(value);
            Assert.Equal(below.LogEvidence, above.LogEvidence, 1e-6);
        }
    }

    [Fact]
    public void Nothing_speaks_against_a_limit_that_the_mean_does_not_exceed()
    {
        SequentialTTest test = new(1);
        foreach (double value in new[] { 1.0, 1.0, 0.5, 1.0 })
        {
            test.Add(value);
        }

        Assert.InRange(test.LogEvidence, double.MinValue, 0);
    }
}
