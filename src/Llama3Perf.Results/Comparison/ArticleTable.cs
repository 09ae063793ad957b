using System.Globalization;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Comparison;

/// <summary>
/// A run as the 2024 article told its own: a line for each system and precision, those that are not here too. Its count of tokens a
/// second, which takes the prompt's for output, stands beside what the suite counts.
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
                .. rows.Select(row =>
                    (string[])
                        [
                            $"{row.Case.Engine} on {row.Case.Provider}",
                            row.Case.Precision,
                            Tokens(row.Case),
                            s_articleRate.Shown(row),
                            s_decodeRate.Shown(row),
                            row.Status == CaseStatus.Skipped ? "skipped" : CaseTable.Note(row),
                        ]
                ),
            ]
        );

    private static StatisticColumn Median(string metric) =>
        ResultSchema.Statistics.First(column =>
            column.Source.Name == metric && !column.Name.EndsWith(StatisticColumn.DeviationSuffix, StringComparison.Ordinal)
        );

    private static string Tokens(CaseKey key) =>
        key.PromptTokens is { } prompt ? string.Create(CultureInfo.InvariantCulture, $"{prompt} + {key.MaxLength - prompt}") : "";
}
