using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Comparison;

public sealed class RunComparisonTests
{
    private static readonly ComparisonOptions Decode = new() { Metrics = ["decode_tps"] };

    [Theory]
    [InlineData(1.0, ComparisonVerdict.Same)]
    [InlineData(1.1, ComparisonVerdict.Slower)]
    [InlineData(0.9, ComparisonVerdict.Faster)]
    public void The_verdict_is_the_same_for_rates_and_times(double slower, ComparisonVerdict expected)
    {
        RunComparison comparison = RunComparison.Of([Run("a"), Run("b", slower: slower)], new ComparisonOptions { Metrics = ["decode_tps", "decode_ms"] });
        Assert.Equal(2, comparison.Rows.Count);
        Assert.All(comparison.Rows, row =>
        {
            ComparedCell cell = row.Cells[1]!;
            Assert.Equal(expected, cell.Verdict);
            Assert.Equal(row.Metric.Name == "decode_ms" ? slower : 1 / slower, cell.Ratio!.Ratio, 0.02);
            Assert.True(cell.Ratio.Interval!.Contains(cell.Ratio.Ratio));
            Assert.Equal((15, 3), (cell.SampleCount, cell.LaunchCount));
            Assert.Null(row.Cells[0]!.Ratio);
        });
    }

    [Fact]
    public void Noise_that_hides_the_threshold_is_inconclusive() =>
        Assert.Equal(ComparisonVerdict.Inconclusive, Assert.Single(RunComparison.Of([Run("a", sd: 0.1), Run("b", sd: 0.1)], Decode).Rows).Cells[1]!.Verdict);

    [Fact]
    public void Four_iterations_are_inconclusive_whatever_they_show() =>
        Assert.Equal(ComparisonVerdict.Inconclusive, Assert.Single(RunComparison.Of([Run("a"), Run("b", slower: 2).First(4)], Decode).Rows).Cells[1]!.Verdict);

    [Theory]
    [InlineData(0.96, 1.04, Direction.HigherIsBetter, ComparisonVerdict.Same)]
    [InlineData(1.01, 1.04, Direction.HigherIsBetter, ComparisonVerdict.Same)]
    [InlineData(0.94, 1.04, Direction.HigherIsBetter, ComparisonVerdict.Inconclusive)]
    [InlineData(0.90, 0.99, Direction.HigherIsBetter, ComparisonVerdict.Slower)]
    [InlineData(0.90, 0.99, Direction.LowerIsBetter, ComparisonVerdict.Faster)]
    [InlineData(1.01, 1.20, Direction.HigherIsBetter, ComparisonVerdict.Faster)]
    [InlineData(1.01, 1.20, Direction.LowerIsBetter, ComparisonVerdict.Slower)]
    [InlineData(0.50, 0.60, Direction.None, ComparisonVerdict.NotJudged)]
    public void The_interval_decides(double low, double high, Direction direction, ComparisonVerdict expected) =>
        Assert.Equal(expected, CaseComparer.Judge(new(low, high), direction, 0.05));

    [Fact]
    public void Rows_are_sorted_worst_first()
    {
        CaseKey[] cases = [Case, Case with { MaxLength = 700 }, Case with { MaxLength = 800 }];
        Run baseline = Run("a", cases);
        Run current = baseline.Changed("b", sample => Slower(sample, sample.Case.MaxLength switch { 640 => 0.8, 700 => 1.3, _ => 1.1 }));
        RunComparison comparison = RunComparison.Of([baseline, current], new ComparisonOptions { Metrics = ["article_tps", "decode_tps"] });
        Assert.Equal([700, 800, 640], comparison.Rows.Take(3).Select(row => row.Case.MaxLength));
        Assert.All(comparison.Rows.Skip(3), row => Assert.Equal(ComparisonVerdict.NotJudged, row.Cells[1]!.Verdict));
    }

    [Theory]
    [InlineData(null, "a")]
    [InlineData("2", "b")]
    [InlineData("c", "c")]
    [InlineData("results/b", "b")]
    public void The_baseline_is_a_position_an_id_or_a_path(string? baseline, string expected)
    {
        RunComparison comparison = RunComparison.Of([Run("a"), Run("b"), Run("c")], Decode with { Baseline = baseline });
        Assert.Equal(expected, comparison.Sides[0].Run.Identity.RunId);
        Assert.Equal(3, Assert.Single(comparison.Rows).Cells.Count);
    }

    [Fact]
    public void What_cannot_be_compared_is_listed_by_name_and_reason()
    {
        CaseKey[] cases = [Case, Case with { MaxLength = 700 }, Case with { MaxLength = 800 }, Case with { MaxLength = 900 }];
        Run baseline = Run("a", cases);
        Run current = Run("b", cases).Ended(CaseStatus.Failed, "TDR").Without(2)
            .Changed("b", sample => sample.Case.MaxLength == 700 ? sample with { DecodeTps = null } : sample);
        Run broken = baseline.Changed("c", sample => sample.Case.MaxLength == 900 && sample.Iteration == 2 ? sample with { Completed = false } : sample);
        RunComparison comparison = RunComparison.Of([baseline, current, broken], Decode);

        Assert.Equal(
        [
            ("b", 640, "failed: TDR"), ("b", 700, "no decode_tps was measured"), ("b", 800, "not in this run"), ("c", 900, "failed: 3 of 15 iterations did not complete"),
        ], comparison.Unmatched.Select(unmatched => (unmatched.Side, int.Parse(unmatched.CaseId.Split("/l")[1][..3]), unmatched.Reason)));
        Assert.Equal(4, comparison.Rows.Count);
    }

    [Fact]
    public void The_same_run_twice_is_a_slip_unless_it_is_asked_for()
    {
        Run run = Run("a");
        RunFileException e = Assert.Throws<RunFileException>(() => RunComparison.Of([run, run], Decode));
        Assert.Equal("results/a: run a is given twice; leave one out, or ask for an A/A comparison", e.Message);

        RunComparison comparison = RunComparison.Of([run, run], Decode with { AllowSameRun = true });
        Assert.Equal(["a (1)", "a (2)"], comparison.Sides.Select(side => side.Label));
        Assert.Equal(1, Assert.Single(comparison.Rows).Cells[1]!.Ratio!.Ratio);
    }

    [Fact]
    public void One_run_alone_has_nothing_to_be_compared_with() =>
        Assert.Contains("alone has nothing to be compared with", Assert.Throws<RunFileException>(() => RunComparison.Of([Run("a")], Decode)).Message, StringComparison.Ordinal);

    [Fact]
    public void Wrong_options_are_refused_with_what_is_right()
    {
        Run[] runs = [Run("a"), Run("b")];
        Assert.Contains("tokens_per_parsec", Refusal(new() { Metrics = ["tokens_per_parsec"] }), StringComparison.Ordinal);
        Assert.Contains("gpu_driver_version", Refusal(new() { Vary = ["gpu"] }), StringComparison.Ordinal);
        Assert.Contains("between 0 and 1", Refusal(new() { Threshold = 5 }), StringComparison.Ordinal);
        Assert.Contains("between 0.5 and 1", Refusal(new() { Confidence = 95 }), StringComparison.Ordinal);
        Assert.Contains("one of a, b", Refusal(new() { Baseline = "z" }), StringComparison.Ordinal);
        Assert.Contains("no metric", Refusal(new() { Metrics = [] }), StringComparison.Ordinal);

        string Refusal(ComparisonOptions options) => Assert.Throws<ArgumentException>(() => RunComparison.Of(runs, options)).Message;
    }

    [Fact]
    public void A_hundred_thousand_samples_a_side_in_one_case_are_compared()
    {
        RunComparison comparison = RunComparison.Of([Run("a", launches: 100, iterations: 1000), Run("b", launches: 100, iterations: 1000)], Decode);
        Assert.Equal(ComparisonVerdict.Same, Assert.Single(comparison.Rows).Cells[1]!.Verdict);
    }
}
