using System.Globalization;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Comparison;

public sealed class RunComparisonTests
{
    private static readonly ComparisonOptions s_decode = new() { Metrics = ["decode_tps"] };

    [Theory]
    [InlineData(1.0, MetricVerdict.Pass)]
    [InlineData(1.1, MetricVerdict.Regression)]
    [InlineData(0.9, MetricVerdict.Faster)]
    public void The_verdict_is_the_same_for_rates_and_times(double slower, MetricVerdict expected)
    {
        RunComparison comparison = RunComparison.Of(
            [Run("a"), Run("b", slower: slower)],
            new ComparisonOptions { Metrics = ["decode_tps", "decode_ms"] }
        );
        Assert.Equal(2, comparison.Rows.Count);
        Assert.All(
            comparison.Rows,
            row =>
            {
                ComparedCell cell = row.Cells[1]!;
                Assert.Equal(expected, cell.Judgement!.Verdict);
                Assert.Equal(row.Metric.Name == "decode_ms" ? slower : 1 / slower, cell.Judgement.Ratio.Ratio, 0.02);
                Assert.True(cell.Judgement.Interval!.Contains(cell.Judgement.Ratio.Ratio));
                Assert.Equal((15, 3), (cell.SampleCount, cell.LaunchCount));
                Assert.Null(row.Cells[0]!.Judgement);
            }
        );
    }

    [Fact]
    public void Noise_that_hides_the_threshold_is_inconclusive_and_says_what_would_decide()
    {
        MetricJudgement judged = Only(Run("a", sd: 0.03), Run("b", sd: 0.03));
        Assert.Equal(MetricVerdict.Inconclusive, judged.Verdict);
        Assert.Matches(
            @"^a loss of the threshold is not excluded; about \d+ launches a side would decide, "
                + @"\d+ more than now \(launches spread by \d\.\d+ %\)$",
            judged.Reason
        );
    }

    [Fact]
    public void One_launch_is_inconclusive_whatever_its_iterations()
    {
        MetricJudgement judged = Only(Run("a", launches: 1, iterations: 1000), Run("b", slower: 2, launches: 1, iterations: 1000));
        Assert.Equal(MetricVerdict.Inconclusive, judged.Verdict);
        Assert.Equal(
            "1 and 1 launches do not show the spread between launches; measure 3 or more a side, or give a noise record of this machine",
            judged.Reason
        );
        Assert.Equal((SpreadSource.Unknown, null, null), (judged.Ratio.Spread, judged.Interval, judged.AdjustedP));
    }

    [Fact]
    public void A_reason_stands_once_and_a_commit_is_named_by_its_beginning()
    {
        Run[] runs =
        [
            .. new[] { "a", "b" }.Select(id =>
            {
                Run run = Run(id, launches: 1);
                return run with { Identity = run.Identity with { BuildCommit = string.Concat(Enumerable.Repeat(id, 40)) } };
            }),
        ];

        IReadOnlyList<string> notes = ComparisonTable.Notes(RunComparison.Of(runs, new ComparisonOptions()));

        string reason = Assert.Single(notes, note => note.StartsWith("inconclusive: ", StringComparison.Ordinal));
        Assert.Contains("decode_tps", reason, StringComparison.Ordinal);
        Assert.Contains("ttft_ms", reason, StringComparison.Ordinal);
        Assert.Contains(" in build_commit=bbbbbbbbb: ", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.0, MetricVerdict.Pass)]
    [InlineData(1.3, MetricVerdict.Regression)]
    public void One_launch_is_decided_by_the_noise_record_of_its_machine(double slower, MetricVerdict expected)
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("n", launches: 12)], new NoiseOptions());
        RunComparison comparison = RunComparison.Of(
            [Run("a", launches: 1), Run("b", launches: 1, slower: slower)],
            s_decode with
            {
                Noise = noise,
            }
        );
        MetricJudgement judged = Assert.Single(comparison.Rows).Cells[1]!.Judgement!;
        Assert.Equal((expected, SpreadSource.NoiseRecord), (judged.Verdict, judged.Ratio.Spread));
        Assert.Contains(
            ComparisonTable.Notes(comparison),
            note => note.StartsWith("* the interval has the spread between launches from the noise record", StringComparison.Ordinal)
        );
        Assert.Contains("]*", ComparisonTable.Markdown(comparison), StringComparison.Ordinal);
    }

    [Fact]
    public void A_noise_record_of_another_machine_is_refused()
    {
        NoiseRecord noise = NoiseRecord.Measure([Run("n").In(e => e with { MachineId = "other" })], new NoiseOptions());
        Assert.Contains(
            "is of machine other",
            Assert.Throws<RunFileException>(() => RunComparison.Of([Run("a"), Run("b")], s_decode with { Noise = noise })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_unsteady_side_is_inconclusive_in_every_file()
    {
        Run unsteady = Run("b", slower: 1.3).Beside(foreignPercent: 40);
        RunComparison comparison = RunComparison.Of([Run("a"), unsteady], s_decode);
        ComparedCell cell = Assert.Single(comparison.Rows).Cells[1]!;
        Assert.Equal(
            ("unsteady: foreign load: others took 40 % of the processors", MetricVerdict.Inconclusive),
            (cell.Unsteady, cell.Judgement!.Verdict)
        );
        Assert.Equal(
            "current side unsteady: foreign load: others took 40 % of the processors; measure again when the machine is quiet",
            cell.Judgement.Reason
        );
        Assert.All(
            [ComparisonTable.Markdown(comparison), ComparisonFiles.Csv(comparison), ComparisonFiles.Json(comparison)],
            text => Assert.Contains("others took 40 %", text, StringComparison.Ordinal)
        );
        Assert.StartsWith("baseline unsteady", Only(unsteady, Run("c")).Reason, StringComparison.Ordinal);
        Assert.Equal(MetricVerdict.Regression, Only(Run("a"), Run("b", slower: 1.3).Beside(foreignPercent: 1)).Verdict);
    }

    [Fact]
    public void Metrics_beside_the_gated_ones_change_none_of_their_verdicts()
    {
        Run[] runs = [Run("a", sd: 0.015), Run("b", sd: 0.015, slower: 1.08)];
        MetricJudgement alone = Only(runs[0], runs[1]);
        string[] everything = [.. SampleSchema.Metrics.Select(metric => metric.Name).Where(name => name != "ttft_ms")];
        ComparedMetric among = RunComparison
            .Of(runs, s_decode with { Metrics = everything })
            .Rows.Single(row => row.Metric.Name == "decode_tps");
        Assert.Equal(alone, among.Cells[1]!.Judgement);
    }

    [Fact]
    public void Rows_are_sorted_worst_first()
    {
        CaseKey[] cases = [Case, Case with { MaxLength = 700 }, Case with { MaxLength = 800 }];
        Run baseline = Run("a", cases);
        Run current = baseline.Changed(
            "b",
            sample =>
                Slower(
                    sample,
                    sample.Case.MaxLength switch
                    {
                        640 => 0.8,
                        700 => 1.3,
                        _ => 1.1,
                    }
                )
        );
        RunComparison comparison = RunComparison.Of([baseline, current], new ComparisonOptions { Metrics = ["article_tps", "decode_tps"] });
        Assert.Equal([700, 800, 640], comparison.Rows.Take(3).Select(row => row.Case.MaxLength));
        Assert.All(comparison.Rows.Skip(3), row => Assert.Equal(MetricVerdict.NotJudged, row.Cells[1]!.Judgement!.Verdict));
    }

    [Theory]
    [InlineData(null, "a")]
    [InlineData("2", "b")]
    [InlineData("c", "c")]
    [InlineData("results/b", "b")]
    public void The_baseline_is_a_position_an_id_or_a_path(string? baseline, string expected)
    {
        RunComparison comparison = RunComparison.Of([Run("a"), Run("b"), Run("c")], s_decode with { Baseline = baseline });
        Assert.Equal(expected, comparison.Sides[0].Run.Identity.RunId);
        Assert.Equal(3, Assert.Single(comparison.Rows).Cells.Count);
    }

    [Fact]
    public void What_cannot_be_compared_is_listed_by_name_and_reason()
    {
        CaseKey[] cases = [Case, Case with { MaxLength = 700 }, Case with { MaxLength = 800 }, Case with { MaxLength = 900 }];
        Run baseline = Run("a", cases);
        Run current = Run("b", cases)
            .Ended(CaseStatus.Failed, "TDR")
            .Without(2)
            .Changed("b", sample => sample.Case.MaxLength == 700 ? sample with { DecodeTps = null } : sample);
        Run broken = baseline.Changed(
            "c",
            sample => sample.Case.MaxLength == 900 && sample.Iteration == 2 ? sample with { Completed = false } : sample
        );
        RunComparison comparison = RunComparison.Of([baseline, current, broken], s_decode);

        Assert.Equal(
            [
                ("b", 640, "failed: TDR"),
                ("b", 700, "no decode_tps was measured"),
                ("b", 800, "not in this run"),
                ("c", 900, "failed: 3 of 15 iterations did not complete"),
            ],
            comparison.Unmatched.Select(unmatched => (unmatched.Side, int.Parse(unmatched.CaseId.Split("/l")[1][..3]), unmatched.Reason))
        );
        Assert.Equal(4, comparison.Rows.Count);
    }

    [Fact]
    public void Other_tokens_under_the_same_folder_and_prompt_are_said_in_the_comparison_and_in_the_report()
    {
        Run[] runs = [Run("a"), Run("b").Changed("b", sample => sample with { OutputSha256 = new string('d', 64) })];
        const string change = "cccccccccccc became dddddddddddd";

        Assert.Contains(change, ComparisonTable.Markdown(RunComparison.Of(runs, s_decode)), StringComparison.Ordinal);
        Assert.Contains(change, Llama3Perf.Results.Report.HtmlReport.Page(runs), StringComparison.Ordinal);
        Assert.Empty(RunComparison.Of([Run("a"), Run("b")], s_decode).AnswerChanges);
        // Another folder answers otherwise by right.
        Run other = Run("b", [Case with { ModelSha256 = new string('e', 64) }])
            .Changed("b", sample => sample with { OutputSha256 = new string('d', 64) });
        Assert.Empty(RunComparison.Of([Run("a"), other], s_decode with { Vary = ["model_sha256"] }).AnswerChanges);
    }

    [Fact]
    public void The_same_run_twice_is_a_slip_unless_it_is_asked_for()
    {
        Run run = Run("a");
        RunFileException e = Assert.Throws<RunFileException>(() => RunComparison.Of([run, run], s_decode));
        Assert.Equal("results/a: run a is given twice; leave one out, or ask for an A/A comparison", e.Message);

        RunComparison comparison = RunComparison.Of([run, run], s_decode with { AllowSameRun = true });
        Assert.Equal(["a (1)", "a (2)"], comparison.Sides.Select(side => side.Label));
        Assert.Equal(1, Assert.Single(comparison.Rows).Cells[1]!.Judgement!.Ratio.Ratio);
    }

    [Fact]
    public void One_run_alone_has_nothing_to_be_compared_with() =>
        Assert.Contains(
            "alone has nothing to be compared with",
            Assert.Throws<RunFileException>(() => RunComparison.Of([Run("a")], s_decode)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Wrong_options_are_refused_with_what_is_right()
    {
        Run[] runs = [Run("a"), Run("b")];
        Assert.Contains("tokens_per_parsec", Refusal(new() { Metrics = ["tokens_per_parsec"] }), StringComparison.Ordinal);
        Assert.Contains("gpu_driver_version", Refusal(new() { Vary = ["gpu"] }), StringComparison.Ordinal);
        Assert.Contains("between 0 and 1", Refusal(new() { Threshold = 5 }), StringComparison.Ordinal);
        Assert.Contains("between 0 and 0.5", Refusal(new() { Alpha = 95 }), StringComparison.Ordinal);
        Assert.Contains("one of a, b", Refusal(new() { Baseline = "z" }), StringComparison.Ordinal);
        Assert.Contains("no metric", Refusal(new() { Metrics = [] }), StringComparison.Ordinal);

        string Refusal(ComparisonOptions options) => Assert.Throws<OptionException>(() => RunComparison.Of(runs, options)).Message;
    }

    [Fact]
    public void A_hundred_thousand_samples_a_side_in_one_case_are_compared()
    {
        RunComparison comparison = RunComparison.Of(
            [Run("a", launches: 100, iterations: 1000), Run("b", launches: 100, iterations: 1000)],
            s_decode
        );
        Assert.Equal(MetricVerdict.Pass, Assert.Single(comparison.Rows).Cells[1]!.Judgement!.Verdict);
    }

    private static MetricJudgement Only(Run baseline, Run current) =>
        Assert.Single(RunComparison.Of([baseline, current], s_decode).Rows).Cells[1]!.Judgement!;

    [Fact]
    public void Each_side_has_its_geometric_mean_and_its_counts()
    {
        CaseKey[] cases = [Case, Case with { MaxLength = 700 }, Case with { MaxLength = 800 }];
        Run slower = Run("b", cases, slower: 1.2).In(e => e with { OrtVersion = "1.24.4" });
        RunComparison comparison = RunComparison.Of([Run("a", cases), slower], s_decode);

        string line = Assert.Single(ComparisonTable.Summary(comparison));
        double mean = Math.Exp(comparison.Rows.Average(row => Math.Log(row.Cells[1]!.Judgement!.Ratio.Ratio)));
        Assert.StartsWith(
            string.Create(CultureInfo.InvariantCulture, $"ort_version=1.24.4: decode_tps {mean:0.000}x ["),
            line,
            StringComparison.Ordinal
        );
        Assert.EndsWith("over 3 cases: 0 faster, 3 slower, 0 same, 0 unclear", line, StringComparison.Ordinal);
        Assert.Contains(MarkdownTable.Escape(line), ComparisonTable.Markdown(comparison), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mean_of_ratios_that_are_alike_is_surer_than_one_of_them()
    {
        RatioEstimate one = RunComparison.Of([Run("a"), Run("b")], s_decode).Rows[0].Cells[1]!.Judgement!.Ratio;
        MeanRatio alone = MeanRatio.Of([one], 0.025);
        MeanRatio four = MeanRatio.Of([one, one, one, one], 0.025);

        Assert.Equal(one.Interval(0.025)!.Low, alone.Interval!.Low, 9);
        Assert.Equal(one.Ratio, four.Ratio, 9);
        Assert.True(four.Interval!.High - four.Interval.Low < (alone.Interval.High - alone.Interval.Low) / 2);
    }

    [Fact]
    public void A_mean_of_ratios_by_hand()
    {
        // Standard errors of 0.01 x sqrt(2 / 3) and 0.02 x sqrt(2 / 3) with 4 degrees of freedom each.
        MeanRatio mean = MeanRatio.Of([Ratio(0.1, 0.01), Ratio(0.3, 0.02)], 0.01);
        double variance = (0.0001 + 0.0004) * 2 / 3;
        double degrees = variance * variance / ((0.0001 * 0.0001 + 0.0004 * 0.0004) * 4 / 9 / 4);
        Assert.Equal((Math.Exp(0.2), 2), (mean.Ratio, mean.Count));
        Assert.Equal(Math.Exp(0.2 + (StudentT.Quantile(0.99, degrees) * Math.Sqrt(variance) / 2)), mean.Interval!.High, 1e-9);

        Assert.Equal(new Interval(1, 1), MeanRatio.Of([Ratio(0, 0), Ratio(0, 0)], 0.01).Interval);
        LogSample one = LogSample.OfLogarithms([
            [0],
        ]);
        Assert.Null(MeanRatio.Of([Ratio(0, 0.01), RatioEstimate.Of(one, one)], 0.01).Interval);

        static RatioEstimate Ratio(double shift, double spread) => RatioEstimate.Of(Side(0, spread), Side(shift, spread));

        static LogSample Side(double centre, double spread) =>
            LogSample.OfLogarithms([
                [centre - spread],
                [centre],
                [centre + spread],
            ]);
    }
}
