using CsCheck;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class CorrectionTests
{
    [Fact]
    public void Holm_by_hand() =>
        Assert.Equal([0.03, 0.06, 0.06, 0.02], Holm.Adjust([0.01, 0.04, 0.03, 0.005]).Select(p => Math.Round(p, 12)));

    [Fact]
    public void Holm_keeps_the_order_and_lies_between_p_and_Bonferroni() =>
        Gen.Double[0, 1]
            .Array[1, 20]
            .Sample(p =>
            {
                double[] adjusted = Holm.Adjust(p);
                for (int i = 0; i < p.Length; i++)
                {
                    Assert.InRange(adjusted[i], p[i], Math.Min(1, p[i] * p.Length) + 1e-12);
                    Assert.All(Enumerable.Range(0, p.Length), j => Assert.True(p[i] > p[j] || adjusted[i] <= adjusted[j]));
                }
            });

    // Published one-sided quantiles of Student's t.
    [Theory]
    [InlineData(0.99, 2, 6.965)]
    [InlineData(0.99, 4, 3.747)]
    [InlineData(0.99, 8, 2.896)]
    [InlineData(0.975, 30, 2.042)]
    public void Quantiles_are_the_published_ones(double p, double degrees, double expected)
    {
        Assert.Equal(expected, StudentT.Quantile(p, degrees), 0.0005);
        Assert.Equal(1 - p, StudentT.Cdf(-expected, degrees), 0.00002);
    }

    [Fact]
    public void At_infinity_all_is_below()
    {
        Assert.Equal(1, StudentT.Cdf(double.PositiveInfinity, 4));
        Assert.Equal(0, StudentT.Cdf(double.NegativeInfinity, 4));
    }

    // Power of the one-sided t test at alpha 0.01, by simulation of a million samples: 95 % at these noncentralities.
    [Theory]
    [InlineData(4, 6.30)]
    [InlineData(8, 4.97)]
    [InlineData(100, 4.02)]
    public void The_detectable_shift_has_its_power(double degrees, double expected) =>
        Assert.Equal(expected, StudentT.DetectableShift(0.01, 0.95, degrees), 0.15);

    // Abramowitz and Stegun, 26.7.10, with published quantiles: 3.7469, 2.8965 and 2.3642 at 0.99, 1.6449 of the normal distribution.
    [Theory]
    [InlineData(4, 6.243)]
    [InlineData(8, 4.837)]
    [InlineData(100, 4.026)]
    public void The_detectable_shift_is_that_of_the_formula(double degrees, double expected) =>
        Assert.Equal(expected, StudentT.DetectableShift(0.01, 0.95, degrees), 0.001);

    [Fact]
    public void Ends_of_an_interval_are_in_it_and_a_hull_holds_both()
    {
        Interval interval = new(1, 2);
        Assert.Equal([false, true, true, true, false], new[] { 0.99, 1, 1.5, 2, 2.01 }.Select(interval.Contains));
        Assert.Equal(new Interval(1, 3), interval.Hull(new Interval(1.5, 3)));
        Assert.Equal(new Interval(0, 2), interval.Hull(new Interval(0, 1.5)));
    }

    [Fact]
    public void Launch_noise_of_a_worked_example()
    {
        // Launch medians 1, 2 and 3 on the logarithms, iterations 0.1 around them.
        LaunchNoise noise = LaunchNoise.Of(
            LogSample.OfLogarithms([
                [0.9, 1.1],
                [1.9, 2.1],
                [2.9, 3.1],
            ])
        )!;
        Assert.Equal((3, 2), (noise.Launches, noise.Iterations));
        Assert.Equal(1, noise.LaunchSd, 1e-9);
        Assert.Equal(Math.Sqrt(6 * 0.01 / 3), noise.WithinSd, 1e-9);
        Assert.Equal(
            3,
            LaunchNoise
                .Of(
                    LogSample.OfLogarithms([
                        [1],
                        [1, 2, 3],
                    ])
                )!
                .Iterations
        );
    }

    [Fact]
    public void One_launch_has_no_noise_between_launches()
    {
        Assert.Null(
            LaunchNoise.Of(
                new LogSample([
                    [1, 2, 3],
                ])
            )
        );
        Assert.Equal(
            0,
            LaunchNoise
                .Of(
                    new LogSample([
                        [1],
                        [2],
                        [3],
                    ])
                )!
                .WithinSd
        );
    }
}
