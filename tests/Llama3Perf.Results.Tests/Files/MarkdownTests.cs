using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Tests.Files;

public sealed class MarkdownTests
{
    [Fact]
    public void Tables_are_aligned_and_cells_cannot_break_them()
    {
        TextTable table = new(
            [new("name", false), new("n", true)],
            [
                ["a|b", "1"],
                ["<i>\nx", "22.5"],
                ["\\|", ""],
            ]
        );

        Assert.Equal(
            """
            | name     |    n |
            | -------- | ---: |
            | a\|b     |    1 |
            | &lt;i> x | 22.5 |
            | \\\|     |      |

            """.ReplaceLineEndings("\n"),
            MarkdownTable.Write(table)
        );
    }

    [Theory]
    [InlineData("[click](https://example.com)", "\\[click\\](https\\://example.com)")]
    [InlineData("![x](http://example.com/x.png)", "!\\[x\\](http\\://example.com/x.png)")]
    [InlineData("www.example.com", "www\\.example.com")]
    [InlineData("a|b", "a\\|b")]
    [InlineData("`code`", "\\`code\\`")]
    [InlineData("&#124;", "&amp;#124;")]
    [InlineData("<img src=x>", "&lt;img src=x>")]
    [InlineData("\u001b[31m\r\n", " \\[31m  ")]
    public void Text_from_outside_is_text_in_markdown(string text, string escaped) => Assert.Equal(escaped, MarkdownTable.Escape(text));

    [Fact]
    public void A_terminal_shows_text_as_it_is() =>
        Assert.Equal(
            """
            name           n
            <i>[a]\| &     1

            """.ReplaceLineEndings("\n"),
            MarkdownTable.WriteText(
                new TextTable(
                    [new("name", false, 4), new("n", true, 4)],
                    [
                        ["<i>[a]\\|\n&", "1"],
                    ]
                )
            )
        );

    [Fact]
    public void Tables_of_several_runs_have_columns_of_one_width() =>
        Assert.Equal("| x      |\n| ------ |\n", MarkdownTable.Write(new TextTable([new("x", false, 6)], [])));

    [Theory]
    [InlineData(null, "")]
    [InlineData(0.0, "0")]
    [InlineData(0.0123456, "0.01235")]
    [InlineData(1.23456, "1.235")]
    [InlineData(98.76543, "98.77")]
    [InlineData(6200.5, "6200")]
    [InlineData(123456.7, "123457")]
    [InlineData(-12.345, "-12.35")]
    public void Numbers_have_four_significant_digits(double? value, string text) => Assert.Equal(text, Figure.Text(value));

    [Fact]
    public void The_page_has_headline_table_and_notes_and_the_environment_folded_away()
    {
        Run run = TestRuns.Fixed();
        IReadOnlyList<ResultRow> rows = Aggregates.Rows(run);
        string page = RunMarkdown.Write(run);

        Assert.Contains(MarkdownTable.Write(CaseTable.Of(rows).ForPage()), page);
        Assert.Equal(7, CaseTable.Of(rows).ForPage().Columns.Count);
        Assert.All(CaseNotes.Of(rows), note => Assert.Contains(MarkdownTable.Escape(note), page));
        Assert.Contains("Synthetic weights: speed is real, text is noise.", CaseNotes.Of(rows));
        Assert.True(page.IndexOf("machine_id", StringComparison.Ordinal) > page.IndexOf("<details>", StringComparison.Ordinal));
    }

    [Fact]
    public void Columns_that_no_case_knows_are_left_out()
    {
        TextTable table = SummaryTable.Of(
            Aggregates.Rows(new Run(TestRuns.Identity, TestRuns.Environment, [TestRuns.Outcome(TestRuns.Case, 1, 1)]))
        );

        Assert.DoesNotContain("peak GPU MiB", table.Columns.Select(column => column.Header));
        Assert.DoesNotContain("± sd", table.Columns.Select(column => column.Header));
        Assert.Contains("peak MiB", table.Columns.Select(column => column.Header));
    }

    [Fact]
    public void A_run_without_cases_says_so() =>
        Assert.Contains("No cases", RunMarkdown.Write(new Run(TestRuns.Identity, TestRuns.Environment, [])));
}
