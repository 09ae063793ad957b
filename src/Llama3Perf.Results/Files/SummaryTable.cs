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

    /// <summary>What a reader of the table has to know, a line each: synthetic weights, failed and skipped cases, changing outputs, what
    /// disturbed the measurement.</summary>
    public static IReadOnlyList<string> Notes(IReadOnlyList<ResultRow> rows)
    {
        IEnumerable<string> weights = rows.Any(row => row.Case.Weights == "synthetic")
            ? ["Synthetic weights: speed is real, text is noise."]
            : [];
        IEnumerable<string> problems = rows.Where(row => row.Status != CaseStatus.Ok)
            .Select(row => $"{row.CaseId} {Cells.Status.Format(row.Status)}: {Short(row.Error ?? "no reason known")}");
        IEnumerable<string> unstable = rows.Where(row => row.OutputStable == false)
            .Select(row => $"{row.CaseId}: the generated tokens differ between iterations.");
        IEnumerable<string> notes = rows.Where(row => row.Notes is not null).Select(row => $"{row.CaseId}: {Short(row.Notes!)}.");
        return [.. weights, .. problems, .. unstable, .. Fitness(rows), .. notes];
    }

    // One line for all where none was disturbed: silence would not say that anybody looked.
    private static IEnumerable<string> Fitness(IReadOnlyList<ResultRow> rows)
    {
        ResultRow[] judged = [.. rows.Where(row => row.Fitness.Verdict is not null)];
        ResultRow[] unsteady = [.. judged.Where(row => row.Fitness.Verdict == Steadiness.Unsteady)];
        IEnumerable<string> verdicts =
            judged.Length > 0 && unsteady.Length == 0
                ? ["Steady: nothing that this machine tells disturbed the measurement."]
                : unsteady.Select(row => $"{row.CaseId}: unsteady: {row.Fitness.Reasons}.");
        return
        [
            .. verdicts,
            .. rows.Where(row => row.WarmUpSettled == false)
                .Select(row => $"{row.CaseId}: the warm-up ended at its limit, not because nothing changed any more."),
            .. rows.Where(row => row.StoppedAttempts > 0)
                .Select(row =>
                    $"{row.CaseId}: "
                    + $"{(row.StoppedAttempts == 1 ? "1 stopped generation was" : $"{row.StoppedAttempts} stopped generations were")} "
                    + "thrown away and measured again."
                ),
        ];
    }

    /// <summary>Libraries put whole pages into their messages; the files have all of it.</summary>
    private static string Short(string text) => TextLine.Of(text, TextLine.LongestMessage);
}
