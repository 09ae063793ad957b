using CsCheck;
using Llama3Perf.Results.Statistics;
using MedianEstimate = Llama3Perf.Results.Statistics.MedianEstimate;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class EstimateTests
{
    private const double Alpha = 0.01;
    private static readonly Gen<double[][]> s_launches = Gen.Double[50, 150].Array[1, 6].Array[1, 5];

    [Fact]
    public void A_side_that_is_scaled_scales_the_ratio_and_its_interval() =>
        Gen.Select(s_launches, s_launches, Gen.Double[0.5, 2])
            .Sample(
                (x, y, factor) =>
                {
                    RatioEstimate plain = RatioEstimate.Of(new LogSample(x), new LogSample(y));
                    RatioEstimate scaled = RatioEstimate.Of(
                        new LogSample(x),
                        new LogSample(y.Select(launch => launch.Select(value => value * factor).ToArray()))
                    );
                    Assert.Equal(plain.Ratio * factor, scaled.Ratio, 1e-9);
                    Assert.Equal(plain.Interval(Alpha) is null, scaled.Interval(Alpha) is null);
                    if (plain.Interval(Alpha) is { } before && scaled.Interval(Alpha) is { } after)
                    {
                        Assert.Equal(before.Low * factor, after.Low, before.Low * 1e-6);
                        Assert.Equal(before.High * factor, after.High, before.High * 1e-6);
                    }
                }
            );

    [Fact]
    public void Swapping_the_sides_inverts_the_ratio_and_its_tests() =>
        Gen.Select(s_launches, s_launches)
            .Sample(
                (x, y) =>
                {
                    RatioEstimate there = RatioEstimate.Of(new LogSample(x), new LogSample(y));
                    RatioEstimate back = RatioEstimate.Of(new LogSample(y), new LogSample(x));
                    Assert.Equal(1, there.Ratio * back.Ratio, 1e-9);
                    Assert.Equal(there.Spread, back.Spread);
                    if (there.Spread == SpreadSource.Launches)
                    {
                        Assert.Equal(there.PBelow(0.1), back.PAbove(-0.1), 1e-9);
                        Assert.Equal(1, there.PBelow(0.1) + there.PAbove(0.1), 1e-9);
                    }
                }
            );

    [Fact]
    public void Iterations_of_one_launch_are_no_repetitions() =>
        Gen.Double[50, 150]
            .Array[1, 200]
            .Sample(values =>
            {
                RatioEstimate ratio = RatioEstimate.Of(new LogSample([values]), new LogSample([values, values, values]));
                Assert.Equal((SpreadSource.Unknown, null), (ratio.Spread, ratio.Interval(Alpha)));
                Assert.Null(ChangeEvidence.Of(ratio, new Tolerance(0.05, IsHigherBetter: true), isUnsteady: false));
            });

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void Three_launches_a_side_show_their_spread(int launches, bool isKnown)
    {
        LogSample few = new(Enumerable.Range(0, launches).Select(i => new double[] { 100 + i }));
        LogSample enough = new([
            [100],
            [101],
            [102],
            [103],
        ]);
        Assert.Equal(isKnown, RatioEstimate.Of(few, enough).Spread == SpreadSource.Launches);
        Assert.Equal(isKnown, RatioEstimate.Of(enough, few).Spread == SpreadSource.Launches);
    }

    [Fact]
    public void Welch_by_hand()
    {
        // Launch medians e^0, e^0.01, e^0.02 against e^0.1, e^0.14, e^0.12, e^0.16: means 0.01 and 0.13, variances 0.0001 and 0.00066667.
        // One launch has an outlier, which its median does not show.
        LogSample a = Logs([
            [0, 0, 0],
            [0.01, 0.01, 5],
            [0.02],
        ]);
        LogSample b = Logs([
            [0.10],
            [0.14],
            [0.12],
            [0.16],
        ]);
        RatioEstimate ratio = RatioEstimate.Of(a, b);
        double ua = 0.0001 / 3;
        double ub = (0.0009 + 0.0001 + 0.0001 + 0.0009) / 3 / 4;
        double degrees = (ua + ub) * (ua + ub) / ((ua * ua / 2) + (ub * ub / 3));
        Assert.Equal(Math.Exp(0.12), ratio.Ratio, 1e-12);
        Assert.Equal(Math.Sqrt(ua + ub), ratio.StandardError, 1e-12);
        Assert.Equal(degrees, ratio.Degrees, 1e-9);
        Assert.Equal(4.0755, degrees, 1e-3);
        Assert.Equal(Math.Sqrt((0.0001 + (ub * 4)) / 2), ratio.LaunchSd, 1e-12);

        // P(T > 8.4853) with 4.0755 degrees of freedom, and the 99 % quantile 3.713 (interpolated from published tables: 3.7469 at 4,
        // 3.3649 at 5).
        Assert.Equal(8.4853, 0.12 / ratio.StandardError, 1e-4);
        Assert.InRange(ratio.PAbove(0), 0.0004, 0.0006);
        Assert.InRange(Math.Log(ratio.Ratio / ratio.Interval(Alpha)!.Low) / ratio.StandardError, 3.68, 3.75);
    }

    [Fact]
    public void Launches_without_any_spread_are_as_far_apart_as_they_are()
    {
        LogSample same = new([
            [100],
            [100],
            [100],
        ]);
        RatioEstimate none = RatioEstimate.Of(same, same);
        Assert.Equal((0.5, 0.5, 0.0, 0.0), (none.PBelow(0), none.PAbove(0), none.PBelow(1), none.PAbove(-1)));
        Assert.Equal(new Interval(1, 1), none.Interval(Alpha));
        RatioEstimate half = RatioEstimate.Of(
            same,
            new LogSample([
                [50],
                [50],
                [50],
            ])
        );
        Assert.Equal((0.0, 1.0), (half.PBelow(0), half.PAbove(0)));
    }

    [Fact]
    public void A_noise_record_serves_where_launches_are_too_few_and_only_there()
    {
        LaunchNoise record = new(Launches: 10, Iterations: 5, LaunchSd: 0.02, WithinSd: 0.01);
        LogSample one = Logs([
            [0, 0, 0, 0, 0],
        ]);
        LogSample three = Logs([
            [0],
            [0.01],
            [0.02],
        ]);
        RatioEstimate few = RatioEstimate.Of(one, one, record, record);
        Assert.Equal((SpreadSource.NoiseRecord, 9.0), (few.Spread, few.Degrees));
        Assert.Equal(0.02 * Math.Sqrt(2), few.StandardError, 1e-12);

        // The other side keeps its own spread: Welch's degrees over both.
        RatioEstimate mixed = RatioEstimate.Of(one, three, record, record);
        Assert.Equal(SpreadSource.NoiseRecord, mixed.Spread);
        Assert.Equal(Math.Sqrt(0.0004 + (0.0001 / 3)), mixed.StandardError, 1e-12);
        double own = 0.0001 / 3;
        Assert.Equal(Math.Pow(0.0004 + own, 2) / ((0.0004 * 0.0004 / 9) + (own * own / 2)), mixed.Degrees, 1e-9);
        Assert.Equal(SpreadSource.Launches, RatioEstimate.Of(three, three, record, record).Spread);
        Assert.Equal(SpreadSource.Unknown, RatioEstimate.Of(one, three, null, record).Spread);
        Assert.True(double.IsNaN(RatioEstimate.Of(one, three, null, record).LaunchSd));
        Assert.True(double.IsNaN(RatioEstimate.Of(three, one, record).LaunchSd));

        // Two records of different size: the smaller one counts.
        Assert.Equal(4, RatioEstimate.Of(one, one, record, record with { Launches = 5 }).Degrees);
    }

    [Fact]
    public void Fewer_iterations_than_were_recorded_add_what_those_averaged_out()
    {
        LaunchNoise record = new(Launches: 10, Iterations: 5, LaunchSd: 0.02, WithinSd: 0.01);
        Assert.Equal(0.0004, record.Variance(5), 1e-15);
        Assert.Equal(0.0004, record.Variance(500), 1e-15);
        Assert.Equal(0.0004 + (Math.PI / 2 * 0.0001 * (1 - 0.2)), record.Variance(1), 1e-15);
    }

    [Fact]
    public void A_day_that_is_busier_than_the_recorded_one_counts()
    {
        LaunchNoise record = new(Launches: 10, Iterations: 5, LaunchSd: 0.001, WithinSd: 0.001);
        LogSample apart = Logs([
            [0],
            [0.1],
        ]);
        Assert.Equal(0.005, LaunchSpread.Of(apart, record)!.Variance, 1e-12);
        LogSample rough = Logs([
            [-0.1, 0.1],
        ]);
        Assert.Equal(Math.PI / 2 * 0.02 / 2, LaunchSpread.Of(rough, record)!.Variance, 1e-12);
    }

    [Theory]
    [InlineData(1, 5, 0.01, 0.01)]
    [InlineData(2, 5, 0.01, 0.05)]
    [InlineData(1, 50, 0, 0.05)]
    public void With_a_record_too_the_error_rates_hold(int launches, int iterations, double between, double within)
    {
        Results.Gate.SimulationOptions machine = new()
        {
            Launches = launches,
            Iterations = iterations,
            BetweenSd = between,
            WithinSd = within,
            RecordedLaunches = 10,
            Trials = 10_000,
            Loss = 0.05,
        };
        Assert.InRange(Results.Gate.GateSimulation.Run(machine).Passed, 0, 0.0125);
    }

    [Fact]
    public void The_median_of_three_launches_covers_their_spread()
    {
        MedianEstimate median = MedianEstimate.Of(
            new LogSample([
                [90],
                [100],
                [110],
            ]),
            0.025
        );
        double[] logs = [Math.Log(90), Math.Log(100), Math.Log(110)];
        double half = 4.3026527 * Math.Sqrt(logs.Sum(log => Math.Pow(log - logs.Average(), 2)) / 2 / 3);
        Assert.Equal(100 * Math.Exp(-half), median.Interval!.Low, 1e-4);
        Assert.Equal(Math.Exp(half) - 1, median.RelativeHalfWidth!.Value, 1e-6);
        MedianEstimate two = MedianEstimate.Of(
            new LogSample([
                [90, 91, 92, 93, 94, 95, 96],
                [100],
            ]),
            0.025
        );
        Assert.Equal((93.5, null, null), (Math.Round(two.Median, 9), two.Interval, two.RelativeHalfWidth));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.01)]
    [InlineData(0.03)]
    public void The_interval_misses_the_true_ratio_at_each_end_no_more_often_than_it_says(double betweenSd)
    {
        Random random = new(42);
        (int below, int above) = (0, 0);
        const int Trials = 2000;
        for (int trial = 0; trial < Trials; trial++)
        {
            Interval interval = RatioEstimate.Of(Side(100), Side(95)).Interval(0.05)!;
            below += interval.High < 0.95 ? 1 : 0;
            above += interval.Low > 0.95 ? 1 : 0;
        }

        Assert.InRange(below, Trials * 0.02, Trials * 0.06);
        Assert.InRange(above, Trials * 0.02, Trials * 0.06);

        LogSample Side(double centre) =>
            new(
                Enumerable
                    .Range(0, 3)
                    .Select(_ => centre * Math.Exp(betweenSd * Gauss()))
                    .Select(launch => Enumerable.Range(0, 5).Select(_ => launch * Math.Exp(0.01 * Gauss())).ToArray())
            );

        double Gauss() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    [Fact]
    public void Launches_of_runs_join_and_launches_without_a_value_are_none()
    {
        LogSample joined = LogSample.Join([
            new LogSample([
                [1, 2],
                [],
            ]),
            new LogSample([
                [3],
            ]),
        ]);
        Assert.Equal((3, 2, 1), (joined.Count, joined.LaunchCount, joined.LeastIterations));
        Assert.Equal((0, 0, true), (new LogSample([]).Count, new LogSample([]).LeastIterations, double.IsNaN(new LogSample([]).Median)));
        Assert.Null(LaunchSpread.Of(new LogSample([]), new LaunchNoise(10, 5, 0.1, 0.1)));
    }

    [Fact]
    public void Values_without_a_logarithm_are_refused()
    {
        Assert.Throws<ArgumentException>(() =>
            new LogSample([
                [1, 0],
            ])
        );
        Assert.Throws<ArgumentException>(() =>
            new LogSample([
                [double.NaN],
            ])
        );
        Assert.Throws<ArgumentException>(() =>
            new LogSample([
                [double.PositiveInfinity],
            ])
        );
    }

    private static LogSample Logs(double[][] launches) => LogSample.OfLogarithms(launches);
}
