using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Comparison;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

/// <summary>What speaks against judging two runs, whatever their figures.</summary>
public sealed class RunDoubtsTests
{
    private static readonly GateOptions s_options = new() { Metrics = ["decode_tps"] };

    [Fact]
    public void Two_whole_runs_of_one_machine_raise_none() => Assert.Empty(Judge(Run("a"), Later(Run("b"))).Findings);

    [Theory]
    [InlineData(false, GateExitCode.Incomparable, GateFindingKind.Missing)]
    [InlineData(true, GateExitCode.Pass, GateFindingKind.Note)]
    public void A_part_of_a_run_fails_unless_parts_are_allowed(bool isAllowed, GateExitCode exitCode, GateFindingKind kind)
    {
        Run part = Later(Run("b")) with { Losses = ["it was interrupted"], Remarks = ["it was interrupted", "a remark"] };
        GateVerdict verdict = RegressionGate.Judge([Run("a")], part, s_options with { AllowPartial = isAllowed });

        Assert.Equal(exitCode, verdict.ExitCode);
        Assert.Equal(
            [new GateFinding(GateFindingKind.Note, null, "a remark"), new(kind, null, "only a part of a run: it was interrupted")],
            verdict.Findings
        );
    }

    [Theory]
    [InlineData(false, GateFindingKind.Missing)]
    [InlineData(true, GateFindingKind.Note)]
    public void A_metric_that_some_samples_lack_was_lost_on_the_way(bool isAllowed, GateFindingKind kind)
    {
        Run gaps = Later(Run("b")).Changed("b", sample => sample.Iteration == 2 ? sample with { DecodeTps = null } : sample);
        GateVerdict verdict = RegressionGate.Judge([Run("a")], gaps, s_options with { AllowPartial = isAllowed });

        Assert.Equal(
            new GateFinding(kind, CaseId.For(Case), "decode_tps stands in 12 of 15 samples of run b"),
            Assert.Single(verdict.Findings)
        );
    }

    [Fact]
    public void A_run_that_is_on_both_sides_is_doubted_once()
    {
        Run part = Run("a") with { Losses = ["it was interrupted"], Remarks = ["it was interrupted"] };
        GateVerdict verdict = Judge(part, part);
        Assert.Single(verdict.Findings, finding => finding.Kind == GateFindingKind.Missing);
        Assert.Single(verdict.Findings, finding => finding.Kind == GateFindingKind.Note);
    }

    [Fact]
    public void An_older_current_run_is_noted() =>
        Assert.Equal("the current run b is older than the baseline a", Note(Later(Run("a")), Run("b")));

    [Fact]
    public void Samples_taken_at_the_same_moments_are_noted() =>
        Assert.StartsWith("run b holds samples of run a: they were taken at", Note(Run("a"), Run("a").Changed("b", sample => sample)));

    [Fact]
    public void Other_processors_are_noted()
    {
        Run other = Later(Run("b")).In(e => e with { CpuName = "Other" });
        Assert.Equal(
            $"the processors differ: {Run("a").Environment.CpuName} in the baseline a, Other in the current run",
            Note(Run("a"), other)
        );
        Run unknown = Later(Run("b")).In(e => e with { CpuName = null });
        Assert.EndsWith("unknown in the current run", Note(Run("a"), unknown), StringComparison.Ordinal);
        Assert.Contains(": unknown in the baseline b", Note(unknown, Later(Later(Run("a")))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_among_its_baseline_is_noted()
    {
        Run current = Later(Run("b"));
        GateVerdict verdict = RegressionGate.Judge([Run("a"), current], current, s_options);
        Assert.StartsWith(
            "the current run, b, is among the 2 baseline runs and speaks for them too",
            Assert.Single(verdict.Findings).Message,
            StringComparison.Ordinal
        );
        Assert.Equal("baseline and current are the same run, b (A/A)", Assert.Single(Judge(current, current).Findings).Message);
    }

    [Fact]
    public void A_run_of_several_values_is_incomparable()
    {
        GateVerdict verdict = RegressionGate.Judge(
            [Run("a", [Case, Case with { Threads = 4 }])],
            Later(Run("b")),
            s_options with
            {
                Vary = ["threads"],
            }
        );
        Assert.Equal(GateExitCode.Incomparable, verdict.ExitCode);
        Assert.StartsWith("a run holds several values of threads", Assert.Single(verdict.Findings).Message, StringComparison.Ordinal);
        Assert.StartsWith("Gate: FAIL, nothing was compared (1 incomparable)", GateReport.Headline(verdict), StringComparison.Ordinal);
    }

    private static string Note(Run baseline, Run current) => Assert.Single(Judge(baseline, current).Findings).Message;

    private static GateVerdict Judge(Run baseline, Run current) => RegressionGate.Judge([baseline], current, s_options);

    private static Run Later(Run run) => run with { Identity = run.Identity with { TestTime = run.Identity.TestTime.AddHours(1) } };
}
