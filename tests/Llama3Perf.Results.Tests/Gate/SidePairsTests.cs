using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Comparison;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

/// <summary>Which cases of two sides are measured in turn, and why none are.</summary>
public sealed class SidePairsTests
{
    private static readonly CaseKey s_long = Case with { MaxLength = 700 };
    private static readonly CaseKey[] s_two = [Case, s_long];

    [Fact]
    public void Cases_are_paired_by_all_that_defines_them_and_named_as_in_the_baseline()
    {
        IReadOnlyList<SidePair> pairs = SidePairs.Of(
            Run("a", s_two),
            Run("b", [s_long with { Threads = 4 }, Case with { Threads = 4 }]).Built("other").In(e => e with { OrtVersion = "1.24.4" }),
            []
        );

        Assert.Equal(
            [
                new SidePair(CaseId.For(Case), CaseId.For(Case), CaseId.For(Case with { Threads = 4 })),
                new SidePair(CaseId.For(s_long), CaseId.For(s_long), CaseId.For(s_long with { Threads = 4 })),
            ],
            pairs
        );
    }

    [Fact]
    public void What_neither_side_can_run_is_left_out()
    {
        Run skipped = Run("a", s_two).Ended(CaseStatus.Skipped, "no GPU");
        Assert.Equal(CaseId.For(s_long), Assert.Single(SidePairs.Of(skipped, skipped, [])).Name);
    }

    [Theory]
    [InlineData(CaseStatus.Failed, CaseStatus.Ok, "fails in the baseline: why")]
    [InlineData(CaseStatus.Ok, CaseStatus.Failed, "fails on the current side: why")]
    [InlineData(CaseStatus.Failed, CaseStatus.Skipped, "fails in the baseline: why")]
    [InlineData(CaseStatus.Skipped, CaseStatus.Failed, "fails on the current side: why")]
    [InlineData(CaseStatus.Skipped, CaseStatus.Ok, "is skipped in the baseline: why")]
    [InlineData(CaseStatus.Ok, CaseStatus.Skipped, "is skipped on the current side: why")]
    public void A_case_that_one_side_cannot_run_is_named(CaseStatus before, CaseStatus now, string reason)
    {
        Assert.Equal(
            $"the cases of the two sides do not match: '{CaseId.For(Case)}' {reason}; give both sides the same cases",
            Refusal(Ended("a", before), Ended("b", now))
        );

        static Run Ended(string id, CaseStatus status) => status == CaseStatus.Ok ? Run(id, s_two) : Run(id, s_two).Ended(status, "why");
    }

    [Fact]
    public void A_case_on_one_side_only_is_named_and_the_others_are_counted()
    {
        Run both = Run("a", [.. s_two, Case with { MaxLength = 800 }]);
        Assert.Contains(
            $"'{CaseId.For(s_long)}' is in the baseline only, and 1 more; give",
            Refusal(both, Run("b")),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"'{CaseId.For(s_long)}' is on the current side only; give",
            Refusal(Run("b"), Run("a", s_two)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_side_that_can_measure_nothing_says_why()
    {
        Run run = Run("a");
        Assert.Equal("the baseline can measure nothing here: it has no case", Refusal(run with { Cases = [] }, run));
        Assert.Equal(
            $"the current side can measure nothing here: '{CaseId.For(Case)}': no GPU",
            Refusal(run, run.Ended(CaseStatus.Skipped, "no GPU"))
        );
        Assert.Equal(
            $"the baseline can measure nothing here: '{CaseId.For(Case)}': crash",
            Refusal(run.Ended(CaseStatus.Failed, "crash"), run)
        );
    }

    [Fact]
    public void A_side_of_several_values_is_refused() =>
        Assert.StartsWith(
            "a side holds several values of threads",
            Refusal(Run("a", [Case, Case with { Threads = 4 }]), Run("b"), "threads"),
            StringComparison.Ordinal
        );

    private static string Refusal(Run baseline, Run current, params string[] vary) =>
        Assert.Throws<RunFileException>(() => SidePairs.Of(baseline, current, vary)).Message;
}
