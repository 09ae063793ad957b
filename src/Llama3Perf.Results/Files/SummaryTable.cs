using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>The table that a person reads first: the same in the console and in results.md.</summary>
public static class SummaryTable
{
    /// <summary>The columns of results.csv that have a heading, in its order.</summary>
    public static IReadOnlyList<Column<ResultRow>> Columns { get; } =
    [.. ResultSchema.Table.Columns.Where(column => column.Heading is not null)];

    /// <summary>The column that names cases, for every table that has them.</summary>
    public static TextColumn Case { get; } = TextColumn.Of(ResultSchema.Column("case_id"));

    /// <summary>The column of their prompts.</summary>
    internal static TextColumn Prompt { get; } = TextColumn.Of(ResultSchema.Column("n_prompt"));

    /// <summary>The column that says how they ended.</summary>
    public static TextColumn Status { get; } = TextColumn.Of(ResultSchema.Column("status"));

    /// <summary>One row for each case, medians over its iterations. Columns that no case has a value for are left out.</summary>
    public static TextTable Of(IReadOnlyList<ResultRow> rows)
    {
        (TextColumn Column, string[] Cells)[] known =
        [
            .. Columns
                .Select(column => (TextColumn.Of(column), Cells: rows.Select(column.Shown).ToArray()))
                .Where(column => rows.Count == 0 || column.Cells.Any(cell => cell.Length > 0)),
        ];
        return new TextTable(
            [.. known.Select(column => column.Column)],
            [.. rows.Select((_, i) => known.Select(column => column.Cells[i]).ToArray())]
        );
    }
}
