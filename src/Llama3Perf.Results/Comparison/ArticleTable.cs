using System.Globalization;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Comparison;

/// <summary>
/// A run as the 2024 article told its own: a line for each system, precision and prompt, and one for a system that is not here. Its count
/// of tokens a second, which takes the prompt's for output, stands beside what the suite counts.
/// </summary>
public static class ArticleTable
{
    private static readonly StatisticColumn s_articleRate = Median("article_tps");
    private static readonly StatisticColumn s_decodeRate = Median("decode_tps");

    /// <summary>The table of some rows, in their order.</summary>
    public static TextTable Of(IReadOnlyList<ResultRow> rows) =>
        new(
            [
                new TextColumn("system", false),
                new TextColumn("precision", false),
                new TextColumn("prompt + new", true),
                new TextColumn("article's tok/s", true),
                new TextColumn(s_decodeRate.Title, true),
                new TextColumn("note", false),
            ],
            [
                .. rows.GroupBy(row => row.Status == CaseStatus.Skipped ? SystemOf(row) : row.CaseId)
                    .Select(same => same.First().Status == CaseStatus.Skipped ? Skipped([.. same]) : Measured(same.First())),
            ]
        );

    private static string[] Measured(ResultRow row) =>
        [SystemOf(row), row.Case.Precision, Tokens(row.Case), s_articleRate.Shown(row), s_decodeRate.Shown(row), CaseTable.Note(row)];

    // The reasons stand below the table, each with the cases that it is of.
    private static string[] Skipped(ResultRow[] rows) =>
        [SystemOf(rows[0]), string.Join(", ", rows.Select(row => row.Case.Precision).Distinct()), "", "", "", "skipped"];

    private static string SystemOf(ResultRow row) => $"{row.Case.Engine} on {row.Case.Provider}";

    private static StatisticColumn Median(string metric) =>
        ResultSchema.Statistics.First(column =>
            column.Source.Name == metric && !column.Name.EndsWith(StatisticColumn.DeviationSuffix, StringComparison.Ordinal)
        );

    private static string Tokens(CaseKey key) =>
        key.PromptTokens is { } prompt ? string.Create(CultureInfo.InvariantCulture, $"{prompt} + {key.MaxLength - prompt}") : "";
}
