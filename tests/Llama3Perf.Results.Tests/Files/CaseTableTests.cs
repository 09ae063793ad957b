using System.Globalization;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Comparison;

namespace Llama3Perf.Results.Tests.Files;

public sealed class CaseTableTests
{
    private static readonly CaseKey s_int4 = MeasuredRuns.Case;
    private static readonly CaseKey s_int8 = s_int4 with { Precision = "int8", ModelSha256 = new string('8', 64) };
    private static readonly CaseKey s_text = s_int8 with { PromptId = "OpenVINO is", PromptTokens = 6, MaxLength = 143 };

    [Theory]
    [InlineData(56)]
    [InlineData(77)]
    [InlineData(117)]
    [InlineData(197)]
    [InlineData(int.MaxValue)]
    public void A_case_is_a_line_and_a_number_is_never_cut(int width)
    {
        CaseTable table = CaseTable.Of(Aggregates.Rows(MeasuredRuns.Run("a", [s_int4, s_int8, s_text])));
        TextTable fitted = table.Fit(width, out string unit);
        string[] lines = MarkdownTable.WriteText(fitted).TrimEnd('\n').Split('\n');

        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.InRange(line.Length, 1, width));
        Assert.Equal(unit.Length == 0, fitted.Columns.Any(column => column.Header.EndsWith("tok/s", StringComparison.Ordinal)));
        foreach ((TextColumn column, int i) in fitted.Columns.Select((column, i) => (column, i)).Where(pair => pair.column.IsNumber))
        {
            string[] whole = [.. table.Columns.Single(known => known.Header == column.Header || known.ShortHeader == column.Header).Cells];
            Assert.Equal(whole, fitted.Rows.Select(row => row[i]));
        }
    }

    [Fact]
    public void The_least_important_columns_go_first()
    {
        CaseTable table = CaseTable.Of(Aggregates.Rows(MeasuredRuns.Run("a", [s_int4, s_int8, s_text])));
        string[] all = [.. table.Fit(int.MaxValue, out _).Columns.Select(column => column.Header)];
        string[] narrow = [.. table.Fit(56, out _).Columns.Select(column => column.Header)];

        Assert.Contains("peak MiB", all);
        Assert.DoesNotContain("peak", narrow);
        Assert.Equal(["precision", "prompt"], narrow.Take(2));
        Assert.Contains("decode", narrow);
        Assert.Contains("TTFT", narrow);
    }

    [Fact]
    public void What_all_cases_share_is_said_once_and_not_in_the_table()
    {
        CaseTable table = CaseTable.Of(Aggregates.Rows(MeasuredRuns.Run("a", [s_int4, s_int8])));

        Assert.Equal(
            "llama-125m, ort, cpu, 2 threads, prompt pp512, 128 new tokens, ONNX Runtime 1.31.1, AMD EPYC 9555, 64-Core, medians over 3 "
                + "launches of 5 generations",
            table.Shared
        );
        Assert.DoesNotContain("prompt", table.Columns.Select(column => column.Header));
        Assert.DoesNotContain("new", table.Columns.Select(column => column.Header));
    }

    [Fact]
    public void Two_lengths_of_one_prompt_are_two_names_and_lengths_that_follow_from_the_prompt_go_unsaid()
    {
        CaseKey longer = s_int4 with { MaxLength = s_int4.MaxLength + 64 };

        Assert.Equal("l704", CaseNames.Among([s_int4, longer]).Of(longer));
        Assert.Equal("OpenVINO is", CaseNames.Among([s_int8, s_text]).Of(s_text));
    }

    [Fact]
    public void A_case_alone_has_a_name_and_one_of_each_is_one()
    {
        CaseTable table = CaseTable.Of(Aggregates.Rows(MeasuredRuns.Run("a", [s_int4], launches: 1, iterations: 1)));

        Assert.Equal(["precision"], table.Columns.Where(column => !column.IsNumber).Select(column => column.Header));
        Assert.EndsWith("medians over 1 launch of 1 generation", table.Shared, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_reason_stands_once_with_its_cases()
    {
        Run run = MeasuredRuns.Run("a", [s_int4, s_int8]);
        CaseOutcome[] skipped =
        [
            .. new[] { "pp512", "pp16" }.Select(prompt => new CaseOutcome
            {
                Case = s_int4 with { Precision = "fp16", BlockSize = null, PromptId = prompt },
                CaseId = prompt,
                Status = CaseStatus.Skipped,
                Error = "too large",
            }),
        ];
        IReadOnlyList<string> notes = CaseNotes.Of(Aggregates.Rows(run with { Cases = [.. run.Cases, .. skipped] }));

        Assert.Contains("fp16 (2 cases): skipped: too large.", notes);
        Assert.Single(notes, note => note.Contains("too large", StringComparison.Ordinal));
    }

    [Fact]
    public void The_article_counts_prompt_tokens_and_lists_what_is_not_here()
    {
        Run run = MeasuredRuns.Run("a", [s_int4, s_text]);
        CaseOutcome skipped = new()
        {
            Case = s_text with { Engine = "ipex-llm", Provider = "xpu", Precision = "fp16", PromptTokens = null },
            CaseId = "absent",
            Status = CaseStatus.Skipped,
            Error = "no torch",
        };
        CaseOutcome other = skipped with { Case = skipped.Case with { Precision = "int4" }, CaseId = "absent too" };

        TextTable table = ArticleTable.Of(Aggregates.Rows(run with { Cases = [.. run.Cases, skipped, other] }));

        Assert.Equal(["ort on cpu", "int8", "6 + 137"], table.Rows[1].Take(3));
        Assert.True(Number(table.Rows[0][3]) > Number(table.Rows[0][4]) * 2, "512 of 640 tokens are the prompt's");
        Assert.Equal(["ipex-llm on xpu", "fp16, int4", "", "", "", "skipped"], table.Rows[2]);
        Assert.Equal(3, table.Rows.Count);

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void What_disturbed_several_cases_is_one_line_with_the_range_of_its_figures()
    {
        Run run = MeasuredRuns.Run("a", [s_int4, s_int8]);
        ResultRow[] rows =
        [
            .. Aggregates
                .Rows(run)
                .Select(
                    (row, i) =>
                        row with
                        {
                            Fitness = new Fitness(
                                Steadiness.Unsteady,
                                $"foreign load: others took {40 + i} % of the processors, drift {(i == 0 ? "-6.5" : "+12.0")} %"
                            ),
                        }
                ),
        ];

        IReadOnlyList<string> notes = CaseNotes.Of(rows);
        Assert.Contains("All 2 cases: unsteady: foreign load: others took 40 to 41 % of the processors.", notes);
        Assert.Contains("All 2 cases: unsteady: drift -6.5 to +12.0 %.", notes);
    }

    [Fact]
    public void The_headline_says_what_is_fastest_by_how_much_and_how_sure()
    {
        string? text = Headline.Of(Joined(MeasuredRuns.Run("a", [s_int4]), MeasuredRuns.Run("a", [s_int8], slower: 1.7)));

        Assert.Matches(@"^int4 decodes 1\.(69|70|71)x as fast as int8 \(1\.[67]\d to 1\.7\d\); fastest: 1\d\d\.\d tok/s\.", text);
    }

    [Fact]
    public void The_headline_calls_engines_alike_that_no_interval_tells_apart()
    {
        string? text = Headline.Of(MeasuredRuns.Run("a", [s_int4, s_int4 with { Engine = "genai" }], sd: 0.03));

        Assert.Matches(@"^(ort and genai|genai and ort) decode alike: 1\.0\dx \(0\.\d\d to 1\.\d\d\)", text);
    }

    [Fact]
    public void The_headline_does_not_call_alike_what_the_interval_leaves_open()
    {
        string? text = Headline.Of(MeasuredRuns.Run("a", [s_int4, s_int4 with { Engine = "genai" }], sd: 0.3));

        Assert.Matches(@"^(ort and genai|genai and ort) cannot be told apart: ", text);
    }

    [Fact]
    public void Of_many_threads_the_headline_names_the_next_and_the_slowest()
    {
        Run[] runs =
        [
            .. new[] { 1, 2, 4, 8, 16 }.Select(threads =>
                MeasuredRuns.Run("a", [s_int4 with { Threads = threads }], slower: 1 / Math.Sqrt(threads))
            ),
        ];

        string text = Headline.Of(Joined(runs))!;

        Assert.Matches(
            "^16 threads decode 1.4[0-9]?x as fast as 8 [^;]*; 16 threads decode [34].[0-9]+x as fast as 1 [^;]*; fastest:",
            text
        );
    }

    [Fact]
    public void One_launch_has_no_interval_and_the_headline_says_so_once()
    {
        CaseKey[] cases = [s_int4, s_int8, s_int4 with { Engine = "genai" }];

        string text = Headline.Of(MeasuredRuns.Run("a", cases, launches: 1))!;

        Assert.Equal(2, text.Split("(too few launches for an interval)").Length);
        Assert.Equal(3, text.Split("; ").Length);
    }

    [Fact]
    public void The_share_of_the_memory_bandwidth_is_what_decoding_reads()
    {
        Run run = MeasuredRuns.Run("a", [s_int4]);
        run = run with { Cases = [run.Cases[0] with { WeightBytesPerToken = 100_000_000 }] };
        ResultRow row = Assert.Single(Aggregates.Rows(run));

        // 100 MB a token at about 100 tokens a second of 22.5 GB/s.
        Assert.InRange(row.MemoryBandwidthPercent!.Value, 43, 46);
        Assert.Contains(" % of the memory bandwidth read here (22.5 GB/s)", Headline.Of(run), StringComparison.Ordinal);
        Assert.Null(
            Aggregates.Rows(run with { Cases = [run.Cases[0] with { Case = s_int4 with { Provider = "cuda" } }] })[0].MemoryBandwidthPercent
        );
    }

    [Fact]
    public void A_run_that_measured_nothing_has_no_headline() =>
        Assert.Null(Headline.Of(new Run(TestRuns.Identity, TestRuns.Environment, [])));

    private static Run Joined(params Run[] runs) => runs[0] with { Cases = [.. runs.SelectMany(run => run.Cases)] };
}
