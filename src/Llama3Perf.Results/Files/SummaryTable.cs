using System.Globalization;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Files;

/// <summary>The table that a person reads first: the same in the console and in results.md.</summary>
public static class SummaryTable
{
    private const double BytesPerMiB = 1 << 20;

    private static readonly (TextColumn Column, Func<ResultRow, string> Cell)[] Columns =
    [
        (new("case", false), row => row.CaseId),
        (new("prompt", true), row => Number(row.Case.PromptTokens)),
        (new("new", true), row => Number(row.Case.MaxLength - row.Case.PromptTokens)),
        (new("TTFT ms", true), row => Number(row.TtftMs.Median)),
        (new("prefill tok/s", true), row => Number(row.PrefillTps.Median)),
        (new("decode tok/s", true), row => Number(row.DecodeTps.Median)),
        (new("± sd", true), row => Number(row.DecodeTps.StandardDeviation)),
        (new("trimmed tok/s", true), row => Number(row.DecodeTrimmedTps)),
        (new("ITL p50 ms", true), row => Number(row.ItlP50Ms)),
        (new("ITL p99 ms", true), row => Number(row.ItlP99Ms)),
        (new("e2e tok/s", true), row => Number(row.EndToEndTps.Median)),
        (new("article tok/s", true), row => Number(row.ArticleTps)),
        (new("peak MiB", true), row => Number(row.PeakRssBytes / BytesPerMiB)),
        (new("peak GPU MiB", true), row => Number(row.PeakGpuBytes / BytesPerMiB)),
        (new("fitness", false), row => Verdict(row)),
        (new("status", false), row => Status(row)),
    ];

    /// <summary>One row for each case, medians over its iterations. Columns that no case has a value for are left out.</summary>
    public static TextTable Of(IReadOnlyList<ResultRow> rows)
    {
        (TextColumn Column, string[] Cells)[] known =
        [
            .. Columns.Select(column => (column.Column, Cells: rows.Select(column.Cell).ToArray())).Where(column => rows.Count == 0 || column.Cells.Any(cell => cell.Length > 0)),
        ];
        return new TextTable([.. known.Select(column => column.Column)], [.. rows.Select((_, i) => known.Select(column => column.Cells[i]).ToArray())]);
    }

    /// <summary>What a reader of the table has to know, a line each: synthetic weights, failed and skipped cases, changing outputs, what disturbed the measurement.</summary>
    public static IReadOnlyList<string> Notes(IReadOnlyList<ResultRow> rows)
    {
        IEnumerable<string> weights = rows.Any(row => row.Case.Weights == "synthetic") ? ["Synthetic weights: speed is real, text is noise."] : [];
        IEnumerable<string> problems = rows.Where(row => row.Status != CaseStatus.Ok).Select(row => $"{row.CaseId} {Status(row)}: {row.Error ?? "no reason known"}");
        IEnumerable<string> unstable = rows.Where(row => row.OutputStable == false).Select(row => $"{row.CaseId}: the generated tokens differ between iterations.");
        IEnumerable<string> notes = rows.Where(row => row.Notes is not null).Select(row => $"{row.CaseId}: {row.Notes}.");
        return [.. weights, .. problems, .. unstable, .. Fitness(rows), .. notes];
    }

    // One line for all where none was disturbed: silence would not say that anybody looked.
    private static IEnumerable<string> Fitness(IReadOnlyList<ResultRow> rows)
    {
        ResultRow[] judged = [.. rows.Where(row => row.Fitness.Verdict is not null)];
        ResultRow[] unsteady = [.. judged.Where(row => row.Fitness.Verdict == Steadiness.Unsteady)];
        IEnumerable<string> verdicts = judged.Length > 0 && unsteady.Length == 0
            ? ["Steady: nothing that this machine tells disturbed the measurement."]
            : unsteady.Select(row => $"{row.CaseId}: unsteady: {row.Fitness.Reasons}.");
        return
        [
            .. verdicts,
            .. rows.Where(row => row.WarmUpSettled == false).Select(row => $"{row.CaseId}: the warm-up ended at its limit, not because nothing changed any more."),
            .. rows.Where(row => row.StoppedAttempts > 0).Select(row => $"{row.CaseId}: {(row.StoppedAttempts == 1 ? "1 stopped generation was" : $"{row.StoppedAttempts} stopped generations were")} thrown away and measured again."),
        ];
    }

    /// <summary>Four significant digits, and all of those before the point; empty when unknown.</summary>
    public static string Number(double? value)
    {
        if (value is not { } number)
        {
            return "";
        }

        int decimals = number == 0 ? 0 : Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(number))), 0, 6);
        return number.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    private static string Number(int? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Verdict(ResultRow row) => row.Fitness.Verdict switch { Steadiness.Steady => "steady", Steadiness.Unsteady => "unsteady", _ => "" };

    private static string Status(ResultRow row) => row.Status switch
    {
        CaseStatus.Ok => "ok",
        CaseStatus.Failed => "failed",
        CaseStatus.Interrupted => "interrupted",
        _ => "skipped",
    };
}
