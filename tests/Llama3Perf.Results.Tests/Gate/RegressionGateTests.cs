using CsCheck;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;
using Llama3Perf.Results.Tests.Comparison;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

public sealed class RegressionGateTests
{
    private static readonly GateOptions s_options = new();
    private static readonly CaseKey[] s_twoCases = [Case, Case with { MaxLength = 700 }];

    [Fact]
    public void A_run_against_itself_passes()
    {
        Run run = Run("a", s_twoCases);
        GateVerdict verdict = RegressionGate.Judge([run], run, s_options);
        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
        Assert.Equal(4, verdict.Checks.Count);
        Assert.All(verdict.Checks, check => Assert.Equal((MetricVerdict.Pass, 1.0), (check.Outcome, check.Judgement.Ratio.Ratio)));
        Assert.Contains(verdict.Findings, finding => finding.Message.Contains("same run", StringComparison.Ordinal));
        Assert.Empty(verdict.RedCases);
    }

    [Fact]
    public void Decode_times_ten_percent_longer_fail_and_name_the_case()
    {
        Run run = Run("a", s_twoCases);
        GateVerdict verdict = RegressionGate.Judge(
            [run],
            run.Changed("b", sample => sample.Case.MaxLength == 700 ? Slower(sample, 1.1) : sample),
            s_options
        );
        Assert.Equal(GateExitCode.Regression, verdict.ExitCode);
        GateCheck red = Assert.Single(verdict.Checks, check => check.Outcome == MetricVerdict.Regression);
        Assert.Same(red, verdict.Checks[0]);
        Assert.Equal(("decode_tps", "llama-125m-int4-b32/ort-cpu/pp512/l700/t2"), (red.Metric.Name, red.CaseId));
        Assert.Equal(1 / 1.1, red.Judgement.Ratio.Ratio, 1e-6);
        Assert.Equal([red.Case], verdict.RedCases);
        Assert.Contains(red.CaseId, GateReport.Text(verdict), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.02, GateExitCode.Pass)]
    [InlineData(1.049, GateExitCode.Inconclusive)]
    [InlineData(1.07, GateExitCode.Regression)]
    [InlineData(0.8, GateExitCode.Pass)]
    public void Times_count_upwards(double times, GateExitCode expected)
    {
        Run run = Run("a");
        Run current = run.Changed("b", sample => sample with { TtftMs = sample.TtftMs * times });
        Assert.Equal(expected, RegressionGate.Judge([run], current, s_options).ExitCode);
        Assert.Equal(GateExitCode.Pass, RegressionGate.Judge([run], current, s_options with { Metrics = ["decode_tps"] }).ExitCode);
    }

    [Fact]
    public void A_loss_beyond_the_threshold_that_noise_explains_is_inconclusive()
    {
        // The ratio is beyond 5 %; neither no change nor a loss of 5 % is excluded.
        Run loud = Run("a", launches: 5).Changed("a", sample => Slower(sample, 0.55 + (0.15 * sample.LaunchIndex)));
        GateVerdict verdict = RegressionGate.Judge(
            [loud],
            loud.Changed("b", sample => Slower(sample, 1.25)),
            s_options with
            {
                Metrics = ["decode_tps"],
            }
        );
        GateCheck check = Assert.Single(verdict.Checks);
        Assert.Equal(0.8, check.Judgement.Ratio.Ratio, 1e-6);
        Assert.InRange(check.Judgement.AdjustedP!.Value, 0.01, 1);
        Assert.Equal(GateExitCode.Inconclusive, verdict.ExitCode);
        Assert.Contains("no change is not excluded", check.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_copy_of_a_quiet_run_that_decodes_a_quarter_longer_is_red()
    {
        Run quiet = Run("a");
        GateVerdict verdict = RegressionGate.Judge([quiet], quiet.Changed("b", sample => Slower(sample, 1.25)), s_options);
        Assert.Equal(GateExitCode.Regression, verdict.ExitCode);
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(1.3)]
    public void An_unsteady_side_neither_passes_nor_is_red(double slower)
    {
        Run baseline = Run("a");
        Run current = Run("b", slower: slower)
            .Changed(
                "b",
                sample =>
                    sample with
                    {
                        Conditions = new Conditions { StoppedMs = sample is { LaunchIndex: 2, Iteration: 3 } ? 2500 : null },
                    }
            );
        Assert.Equal(GateExitCode.Inconclusive, RegressionGate.Judge([current], baseline, s_options).ExitCode);
        GateVerdict verdict = RegressionGate.Judge([baseline], current, s_options);
        Assert.Equal(GateExitCode.Inconclusive, verdict.ExitCode);
        Assert.Contains("current side unsteady: stopped for 2.5 s; measure again", GateReport.Text(verdict), StringComparison.Ordinal);
    }

    [Fact]
    public void Comparison_and_gate_never_contradict_each_other()
    {
        Gen.Select(Gen.Double[0.85, 1.2], Gen.Double[0.001, 0.05], Gen.Int[1, 6], Gen.Int[1, 6], Gen.Int[1, 5], Gen.Int[0, 1_000_000])
            .Sample(
                (slower, sd, before, after, iterations, seed) =>
                {
                    Run baseline = Run($"a{seed}", s_twoCases, launches: before, iterations: iterations, sd: sd);
                    Run current = Run($"b{seed}", s_twoCases, slower, after, iterations, sd);
                    GateVerdict verdict = RegressionGate.Judge([baseline], current, s_options);
                    RunComparison comparison = RunComparison.Of([baseline, current], new ComparisonOptions());
                    Assert.All(
                        verdict.Checks,
                        check =>
                            Assert.Equal(
                                check.Judgement,
                                comparison.Rows.Single(row => row.CaseId == check.CaseId && row.Metric.Name == check.Metric.Name).Cells[
                                    1
                                ]!.Judgement
                            )
                    );
                },
                iter: 300
            );
    }

    [Fact]
    public void A_missing_case_fails_and_a_new_one_does_not()
    {
        Run both = Run("a", s_twoCases);
        GateVerdict missing = RegressionGate.Judge([both], both.Without(1), s_options);
        Assert.Equal(GateExitCode.Incomparable, missing.ExitCode);
        Assert.Equal(
            "llama-125m-int4-b32/ort-cpu/pp512/l700/t2",
            Assert.Single(missing.Findings, finding => finding.Kind == GateFindingKind.Missing).CaseId
        );
        Assert.Equal(GateExitCode.Pass, RegressionGate.Judge([both.Without(1)], both, s_options).ExitCode);
    }

    [Theory]
    [InlineData(CaseStatus.Ok, CaseStatus.Failed, GateExitCode.Incomparable)]
    [InlineData(CaseStatus.Ok, CaseStatus.Skipped, GateExitCode.Incomparable)]
    [InlineData(CaseStatus.Failed, CaseStatus.Ok, GateExitCode.Incomparable)]
    [InlineData(CaseStatus.Failed, CaseStatus.Failed, GateExitCode.Incomparable)]
    [InlineData(CaseStatus.Skipped, CaseStatus.Failed, GateExitCode.Incomparable)]
    [InlineData(CaseStatus.Skipped, CaseStatus.Ok, GateExitCode.Pass)]
    [InlineData(CaseStatus.Skipped, CaseStatus.Skipped, GateExitCode.Pass)]
    public void A_case_that_ended_badly_is_named(CaseStatus before, CaseStatus now, GateExitCode expected)
    {
        GateVerdict verdict = RegressionGate.Judge([Ended("a", before)], Ended("b", now), s_options);
        Assert.Equal(expected, verdict.ExitCode);
        Assert.Contains(verdict.Findings, finding => finding.CaseId == CaseId.For(Case));

        static Run Ended(string id, CaseStatus status) =>
            status == CaseStatus.Ok ? Run(id, s_twoCases) : Run(id, s_twoCases).Ended(status, "why");
    }

    [Fact]
    public void An_iteration_that_broke_off_fails_its_case()
    {
        Run run = Run("a");
        GateVerdict verdict = RegressionGate.Judge(
            [run],
            run.Changed("b", sample => sample with { Completed = sample.Iteration != 3 }),
            s_options
        );
        Assert.Equal(GateExitCode.Incomparable, verdict.ExitCode);
        Assert.Contains("3 of 15 iterations did not complete", GateReport.Text(verdict), StringComparison.Ordinal);
    }

    [Fact]
    public void A_metric_that_one_side_lacks_is_missing()
    {
        Run run = Run("a");
        Run without = run.Changed("b", sample => sample with { TtftMs = null });
        Assert.Equal(GateExitCode.Incomparable, RegressionGate.Judge([run], without, s_options).ExitCode);
        Assert.Equal(GateExitCode.Incomparable, RegressionGate.Judge([without], run, s_options).ExitCode);
        Assert.Equal(GateExitCode.Pass, RegressionGate.Judge([without], without, s_options).ExitCode);
    }

    [Fact]
    public void One_launch_decides_nothing_whatever_its_iterations()
    {
        Run one = Run("a", launches: 1, iterations: 100);
        GateVerdict verdict = RegressionGate.Judge([one], one.Changed("b", sample => Slower(sample, 2)), s_options);
        Assert.Equal(GateExitCode.Inconclusive, verdict.ExitCode);
        Assert.All(verdict.Checks, check => Assert.Equal(MetricVerdict.Inconclusive, check.Outcome));
        Assert.Contains("measure 3 or more a side", verdict.Checks[0].Reason, StringComparison.Ordinal);
        Assert.Equal(GateExitCode.Pass, (verdict with { Options = s_options with { InconclusiveFails = false } }).ExitCode);
    }

    [Fact]
    public void More_cases_make_a_red_one_harder_and_a_pass_no_harder()
    {
        // One regression with p about 0.001 alone; among 60 checks it is not told from chance.
        CaseKey[] many = [.. Enumerable.Range(0, 60).Select(i => Case with { MaxLength = 640 + i })];
        GateOptions decode = s_options with { Metrics = ["decode_tps"] };
        Run baseline = Run("a", many, sd: 0.03);
        Run current = baseline.Changed("b", sample => sample.Case.MaxLength == 640 ? Slower(sample, 1.15) : Slower(sample, 0.93));
        GateCheck alone = Assert.Single(RegressionGate.Judge([Only(baseline)], Only(current), decode).Checks);
        GateCheck among = RegressionGate.Judge([baseline], current, decode).Checks.Single(check => check.Case.MaxLength == 640);
        Assert.Equal((MetricVerdict.Regression, MetricVerdict.Inconclusive), (alone.Outcome, among.Outcome));
        Assert.Equal(alone.Judgement.AdjustedP!.Value * 60, among.Judgement.AdjustedP!.Value, 1e-9);

        static Run Only(Run run) => run with { Cases = [run.Cases[0]] };
    }

    [Fact]
    public void Nothing_compared_is_never_a_pass()
    {
        Run empty = Run("a") with { Cases = [] };
        Assert.Equal(
            GateExitCode.Incomparable,
            RegressionGate.Judge([empty], empty, s_options with { InconclusiveFails = false }).ExitCode
        );
        Run skipped = Run("a").Ended(CaseStatus.Skipped, "no GPU");
        GateVerdict verdict = RegressionGate.Judge([skipped], skipped, s_options);
        Assert.Equal(GateExitCode.Incomparable, verdict.ExitCode);
        Assert.StartsWith("Gate: FAIL, nothing was compared", GateReport.Text(verdict), StringComparison.Ordinal);
    }

    [Fact]
    public void A_regression_outranks_a_hole_and_a_hole_outranks_doubt()
    {
        Run both = Run("a", s_twoCases);
        Run slower = both.Changed("b", sample => Slower(sample, 1.2));
        Assert.Equal(GateExitCode.Regression, RegressionGate.Judge([both], slower.Without(1), s_options).ExitCode);
        Assert.Equal(GateExitCode.Incomparable, RegressionGate.Judge([both], slower.First(3).Without(1), s_options).ExitCode);
    }

    [Fact]
    public void Runs_that_differ_in_more_than_one_field_are_incomparable()
    {
        Run current = Run("b").In(e => e with { OrtVersion = "1.24.4", GpuDriverVersion = "32" });
        GateVerdict verdict = RegressionGate.Judge([Run("a")], current, s_options);
        Assert.Equal(GateExitCode.Incomparable, verdict.ExitCode);
        Assert.Contains("--vary", Assert.Single(verdict.Findings).Message, StringComparison.Ordinal);
        Assert.Equal(
            GateExitCode.Pass,
            RegressionGate.Judge([Run("a")], current, s_options with { Vary = ["ort_version", "gpu_driver_version"] }).ExitCode
        );
    }

    [Fact]
    public void The_one_field_that_differs_is_varied_as_a_comparison_finds_it()
    {
        Assert.Equal(["build_commit"], RegressionGate.Judge([Run("a")], Run("b").Built("feed"), s_options).Vary);
        Run threads = Run("b", [Case with { Threads = 4 }]);
        GateVerdict verdict = RegressionGate.Judge([Run("a")], threads, s_options);
        Assert.Equal(["threads"], verdict.Vary);
        Assert.Equal(RunComparison.Of([Run("a"), threads], new ComparisonOptions()).Vary, verdict.Vary);
        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
        Run two = threads.In(e => e with { OrtVersion = "1.24.4" });
        Assert.Equal(GateExitCode.Incomparable, RegressionGate.Judge([Run("a")], two, s_options).ExitCode);
    }

    [Theory]
    [InlineData(0.0005, 0.001, null, GateExitCode.Pass)]
    [InlineData(0.002, 0.001, null, GateExitCode.Regression)]
    [InlineData(0.0005, 0.001, 0.0004, GateExitCode.Regression)]
    [InlineData(0.002, 0.001, 0.003, GateExitCode.Pass)]
    public void Answers_too_far_from_their_reference_are_red(double kl, double limit, double? asked, GateExitCode expected)
    {
        Run baseline = Verified(Run("a"), 0.0001, limit);

        GateVerdict verdict = RegressionGate.Judge([baseline], Verified(Run("b"), kl, 0.01), s_options with { MaxKlNats = asked });

        Assert.Equal(expected, verdict.ExitCode);
        Assert.Equal(expected == GateExitCode.Regression, verdict.Findings.Any(finding => finding.Kind == GateFindingKind.WrongAnswer));
        Assert.Equal(
            expected == GateExitCode.Regression,
            GateReport.Text(verdict).StartsWith("Gate: FAIL, wrong answers", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Answers_that_are_not_verified_any_more_are_noted()
    {
        Run current = Run("b");
        current = current with
        {
            Cases =
            [
                .. current.Cases.Select(outcome =>
                    outcome with
                    {
                        Verification = new VerificationOutcome
                        {
                            Status = VerificationStatus.Unverified,
                            Detail = "the model is too large",
                        },
                    }
                ),
            ],
        };

        GateVerdict verdict = RegressionGate.Judge([Verified(Run("a"), 0.0001, 0.001)], current, s_options);

        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
        Assert.Contains(
            verdict.Findings,
            finding => finding.Message.EndsWith("were not: the model is too large", StringComparison.Ordinal)
        );
    }

    private static Run Verified(Run run, double kl, double limit) =>
        run with
        {
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    outcome with
                    {
                        Verification = new VerificationOutcome
                        {
                            Status = VerificationStatus.Passed,
                            KlNats = kl,
                            KlLimitNats = limit,
                        },
                    }
                ),
            ],
        };

    [Fact]
    public void Other_output_of_the_same_folder_is_a_finding_of_its_own()
    {
        Run current = Run("b").Changed("b", sample => sample with { OutputSha256 = new string('d', 64) });
        GateVerdict verdict = RegressionGate.Judge([Run("a")], current, s_options);
        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
        Assert.Contains(
            "cccccccccccc became dddddddddddd",
            Assert.Single(verdict.Findings, finding => finding.Kind == GateFindingKind.OutputChanged).Message,
            StringComparison.Ordinal
        );
        Assert.Equal(GateExitCode.Incomparable, (verdict with { Options = s_options with { OutputChangeFails = true } }).ExitCode);

        Run folder = Run("b", [Case with { ModelSha256 = new string('e', 64) }])
            .Changed("b", sample => sample with { OutputSha256 = new string('d', 64) });
        Assert.DoesNotContain(
            RegressionGate.Judge([Run("a")], folder, s_options with { Vary = ["model_sha256"] }).Findings,
            finding => finding.Kind == GateFindingKind.OutputChanged
        );
    }

    [Fact]
    public void Wrong_options_are_refused()
    {
        Assert.Contains(
            "article_tps is reported and never gated",
            Refusal(s_options with { Metrics = ["article_tps"] }),
            StringComparison.Ordinal
        );
        Assert.Contains("no metric", Refusal(s_options with { Metrics = [] }), StringComparison.Ordinal);
        Assert.Contains("between 0 and 1", Refusal(s_options with { Threshold = 5 }), StringComparison.Ordinal);
        Assert.Contains("between 0 and 0.5", Refusal(s_options with { Alpha = double.NaN }), StringComparison.Ordinal);
        Assert.Contains(
            "no baseline",
            Assert.Throws<OptionException>(() => RegressionGate.Judge([], Run("a"), s_options)).Message,
            StringComparison.Ordinal
        );

        static string Refusal(GateOptions options) =>
            Assert.Throws<OptionException>(() => RegressionGate.Judge([Run("a")], Run("b"), options)).Message;
    }

    [Theory]
    [InlineData("decode_tps")]
    [InlineData("ttft_ms")]
    public void The_worst_case_comes_first(string metric)
    {
        GateOptions options = s_options with { Metrics = [metric] };
        GateVerdict first = RegressionGate.Judge([Run("a", s_twoCases)], Slowed("b", 1.2, 1.4), options);
        Assert.Equal([700, 640], first.Checks.Select(check => check.Case.MaxLength));
        Assert.Equal([700, 640], RegressionGate.Confirm(first, [Run("a", s_twoCases)], Slowed("c", 1.2, 1.4)).Checks.Select(Length));

        // What is red no more is no longer the worst.
        GateVerdict second = RegressionGate.Confirm(first, [Run("a", s_twoCases)], Slowed("c", 1.2, 1));
        Assert.Equal([640, 700], second.Checks.Select(Length));
        Assert.Equal([MetricVerdict.Regression, MetricVerdict.NotConfirmed], second.Checks.Select(check => check.Outcome));

        static int Length(GateCheck check) => check.Case.MaxLength;

        static Run Slowed(string id, double first, double second) =>
            Run(id, s_twoCases)
                .Changed(
                    id,
                    sample =>
                        sample.Case.MaxLength == 700
                            ? Slower(sample, second) with
                            {
                                TtftMs = sample.TtftMs * second,
                            }
                            : Slower(sample, first) with
                            {
                                TtftMs = sample.TtftMs * first,
                            }
                );
    }

    [Fact]
    public void A_second_measurement_that_decides_nothing_says_why()
    {
        GateVerdict first = RegressionGate.Judge([Run("a")], Run("b", slower: 1.2), s_options);
        GateVerdict one = RegressionGate.Confirm(first, [Run("a")], Run("c", slower: 1.2, launches: 1));
        Assert.Contains("measure 3 or more a side", one.Checks[0].Reason, StringComparison.Ordinal);
        GateVerdict none = RegressionGate.Confirm(first, [Run("a")], Run("c") with { Cases = [] });
        Assert.Equal("it was red and was not measured again", none.Checks[0].Reason);
    }

    [Theory]
    [InlineData("ok", "absent", GateFindingKind.Missing, "baseline: measured; current: not there")]
    [InlineData("absent", "ok", GateFindingKind.Note, "baseline: not there; current: measured")]
    [InlineData("skipped", "ok", GateFindingKind.Note, "baseline: skipped: why; current: measured")]
    [InlineData("skipped", "absent", GateFindingKind.Note, "baseline: skipped: why; current: not there")]
    [InlineData("failed", "ok", GateFindingKind.Missing, "baseline: failed: why; current: measured")]
    public void What_became_of_a_case_is_said(string before, string now, GateFindingKind kind, string message)
    {
        GateVerdict verdict = RegressionGate.Judge([Side("a", before)], Side("b", now), s_options);
        Assert.Equal(new GateFinding(kind, CaseId.For(Case), message), Assert.Single(verdict.Findings));

        static Run Side(string id, string state) =>
            state switch
            {
                "ok" => Run(id, s_twoCases),
                "absent" => Run(id, s_twoCases).Without(0),
                _ => Run(id, s_twoCases).Ended(state == "failed" ? CaseStatus.Failed : CaseStatus.Skipped, "why"),
            };
    }

    [Fact]
    public void Where_a_metric_was_not_measured_is_said()
    {
        Run run = Run("a");
        Run without = run.Changed("b", sample => sample with { TtftMs = null });
        Assert.Equal("no ttft_ms was measured in the current run", Message(run, without));
        Assert.Equal("no ttft_ms was measured in the baseline", Message(without, run));
        Assert.Equal("no ttft_ms was measured on either side", Message(without, without.Changed("c", sample => sample)));

        string Message(Run baseline, Run current) =>
            Assert
                .Single(
                    RegressionGate.Judge([baseline], current, s_options).Findings,
                    finding => finding.Message.Contains("was measured", StringComparison.Ordinal)
                )
                .Message;
    }

    [Fact]
    public void One_verified_run_of_several_is_enough_to_miss_a_verification()
    {
        GateVerdict verdict = RegressionGate.Judge(
            [Run("a"), Verified(Run("b"), 0.0001, 0.001)],
            Run("c") with
            {
                Cases = [.. Run("c").Cases.Select(outcome => outcome with { Verification = new() { Status = VerificationStatus.Off } })],
            },
            s_options
        );
        Assert.Contains(verdict.Findings, finding => finding.Message.EndsWith("verification was off", StringComparison.Ordinal));
    }
}
