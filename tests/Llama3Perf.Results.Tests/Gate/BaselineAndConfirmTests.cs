using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;
using Llama3Perf.Results.Tests.Comparison;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

public sealed class BaselineAndConfirmTests
{
    private static readonly GateOptions s_options = new();

    [Theory]
    [InlineData(0.7)]
    [InlineData(1.4)]
    public void One_outlying_run_does_not_poison_the_baseline(double outlier)
    {
        Run[] baseline = [Run("a"), Run("outlier", slower: outlier), Run("b"), Run("c")];
        GateVerdict same = RegressionGate.Judge(baseline, Run("new"), s_options);
        Assert.Equal(GateExitCode.Pass, same.ExitCode);
        Assert.All(same.Checks, check => Assert.NotEqual("outlier", check.BaselineRunId));
        Assert.Equal(GateExitCode.Regression, RegressionGate.Judge(baseline, Run("new", slower: 1.1), s_options).ExitCode);
    }

    [Fact]
    public void The_run_with_the_median_median_speaks_for_the_others_or_the_two_in_the_middle()
    {
        Assert.Equal(("3", 3), Median([1, 5, 3]));
        Assert.Equal(("2 and 3", 6), Median([4, 3, 2, 1]));
        Assert.Equal(("1 and 2", 6), Median([1, 2]));

        static (string, int) Median(double[] medians)
        {
            (string runId, MeasuredSide side) = GateSides.MedianRun([
                .. medians.Select(value =>
                    (
                        $"{value}",
                        Side([
                            [value],
                            [value],
                            [value],
                        ])
                    )
                ),
            ]);
            return (runId, side.Values.LaunchCount);
        }
    }

    [Fact]
    public void Runs_with_too_few_launches_and_unsteady_ones_stand_back()
    {
        Assert.Equal(
            "many",
            GateSides
                .MedianRun([
                    (
                        "few",
                        Side([
                            [1, 1],
                            [2, 2],
                        ])
                    ),
                    (
                        "many",
                        Side([
                            [2],
                            [2],
                            [2],
                        ])
                    ),
                    (
                        "one",
                        Side([
                            [3],
                        ])
                    ),
                ])
                .RunId
        );
        Assert.Equal(
            "steady",
            GateSides
                .MedianRun([
                    (
                        "a",
                        Side(
                            [
                                [1],
                                [1],
                                [1],
                            ],
                            "unsteady: x"
                        )
                    ),
                    (
                        "steady",
                        Side([
                            [9],
                        ])
                    ),
                ])
                .RunId
        );
        Assert.Equal(
            "unsteady: x",
            GateSides
                .MedianRun([
                    (
                        "a",
                        Side(
                            [
                                [1],
                                [1],
                                [1],
                            ],
                            "unsteady: x"
                        )
                    ),
                    (
                        "b",
                        Side(
                            [
                                [9],
                                [9],
                                [9],
                            ],
                            "unsteady: y"
                        )
                    ),
                ])
                .Side.Unsteady
        );
    }

    [Fact]
    public void Baseline_runs_may_be_of_several_builds_and_lack_a_case()
    {
        CaseKey[] cases = [Case, Case with { MaxLength = 700 }];
        Run[] baseline =
        [
            Run("a", cases).Built("1"),
            Run("b", cases[..1]).Built("2"),
            Run("c", cases).Built("3").Ended(CaseStatus.Failed, "once"),
        ];
        GateVerdict verdict = RegressionGate.Judge(baseline, Run("d", cases).Built("4"), s_options);
        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
        Assert.Equal(["build_commit"], verdict.Vary);
        Assert.Equal(4, verdict.Checks.Count);
    }

    [Fact]
    public void What_is_red_once_and_not_twice_is_not_confirmed()
    {
        Run baseline = Run("a");
        GateVerdict first = RegressionGate.Judge([baseline], Run("b", slower: 1.1), s_options);
        Assert.Equal(GateExitCode.Regression, first.ExitCode);

        GateVerdict second = RegressionGate.Confirm(first, [baseline], Run("c"));
        Assert.Equal(GateExitCode.Pass, second.ExitCode);
        Assert.All(second.Checks, check => Assert.Equal(MetricVerdict.NotConfirmed, check.Outcome));
        Assert.Contains("measured again", GateReport.Text(second), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_red_twice_stays_red()
    {
        Run baseline = Run("a");
        GateVerdict first = RegressionGate.Judge([baseline], Run("b", slower: 1.1), s_options);
        GateVerdict second = RegressionGate.Confirm(first, [baseline], Run("c", slower: 1.1));
        Assert.Equal(GateExitCode.Regression, second.ExitCode);
        Assert.All(second.Checks, check => Assert.Equal("a", check.Confirmation!.BaselineRunId));
    }

    [Fact]
    public void Only_red_checks_are_looked_at_again()
    {
        CaseKey[] cases = [Case, Case with { MaxLength = 700 }];
        Run baseline = Run("a", cases);
        Run current = baseline.Changed("b", sample => sample.Case.MaxLength == 700 ? Slower(sample, 1.2) : sample);
        GateVerdict first = RegressionGate.Judge([baseline], current, s_options);

        // The second run measured the red case alone, and its first token is now slow: that is not what was asked.
        Run again = current.Without(0).Changed("c", sample => sample with { TtftMs = sample.TtftMs * 2 });
        GateVerdict second = RegressionGate.Confirm(first, [baseline], again);
        Assert.Equal(GateExitCode.Regression, second.ExitCode);
        Assert.Single(second.Checks, check => check.Outcome == MetricVerdict.Regression);
        Assert.DoesNotContain(second.Findings, finding => finding.Kind == GateFindingKind.Missing);
    }

    [Fact]
    public void What_was_not_measured_again_is_missing()
    {
        Run baseline = Run("a");
        GateVerdict first = RegressionGate.Judge([baseline], Run("b", slower: 1.1), s_options);
        foreach (
            Run again in new[]
            {
                Run("c") with
                {
                    Cases = [],
                },
                Run("c").Ended(CaseStatus.Failed, "crash"),
                Run("c").In(e => e with { OrtVersion = "2", MachineId = "other" }),
            }
        )
        {
            GateVerdict second = RegressionGate.Confirm(first, [baseline], again);
            Assert.Equal(GateExitCode.Incomparable, second.ExitCode);
            Assert.All(second.Checks, check => Assert.Equal(MetricVerdict.Inconclusive, check.Outcome));
        }

        Assert.Equal(GateExitCode.Inconclusive, RegressionGate.Confirm(first, [baseline], Run("c").First(3)).ExitCode);
    }

    private static MeasuredSide Side(double[][] launches, string? unsteady = null) => new(new LogSample(launches), Noise: null, unsteady);

    [Fact]
    public void Three_launches_are_enough_to_speak()
    {
        (string runId, _) = GateSides.MedianRun([
            (
                "three",
                Side([
                    [9],
                    [9],
                    [9],
                ])
            ),
            (
                "one",
                Side([
                    [1],
                ])
            ),
            (
                "another",
                Side([
                    [2],
                ])
            ),
        ]);
        Assert.Equal("three", runId);
    }

    [Theory]
    [InlineData(true, true, 4)]
    [InlineData(true, false, 4)]
    [InlineData(false, true, 5)]
    public void Two_in_the_middle_have_the_noise_and_the_doubt_of_the_one_that_knows(bool hasLower, bool hasUpper, int launches)
    {
        MeasuredSide side = GateSides
            .MedianRun([
                (
                    "lower",
                    new MeasuredSide(
                        new LogSample([
                            [1],
                        ]),
                        hasLower ? new LaunchNoise(4, 1, 0, 0) : null,
                        "unsteady: x"
                    )
                ),
                (
                    "upper",
                    new MeasuredSide(
                        new LogSample([
                            [2],
                        ]),
                        hasUpper ? new LaunchNoise(5, 1, 0, 0) : null,
                        "unsteady: y"
                    )
                ),
            ])
            .Side;
        Assert.Equal((launches, "unsteady: x"), (side.Noise!.Launches, side.Unsteady));
    }
}
