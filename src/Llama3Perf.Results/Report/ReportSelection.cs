using System.Globalization;
using System.Text;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Report;

/// <summary>Which cases a page shows when there are more than anybody reads: those that were asked for and the worst ones. The others stand
/// below as data.</summary>
internal sealed record ReportSelection
{
    private static readonly Column<ResultRow> s_decode = ResultSchema.Column("decode_tps_median");
    private static readonly Column<ResultRow>[] s_medians =
    [
        ResultSchema.Column("ttft_ms_median"),
        ResultSchema.Column("prefill_tps_median"),
        s_decode,
        ResultSchema.Column("e2e_tps_median"),
    ];

    /// <summary>So many cases are shown all.</summary>
    public const int Most = 60;

    /// <summary>The runs with the cases that are shown.</summary>
    public required IReadOnlyList<Run> Shown { get; init; }

    /// <summary>What was left out, in a line; null when nothing was.</summary>
    public string? Note { get; init; }

    /// <summary>Chooses. Worst are cases that failed, then those that fell most from the first run to the last, or decode slowest in a
    /// single one.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="chosen">Names of cases that are shown in any case.</param>
    public static ReportSelection Of(IReadOnlyList<Run> runs, IReadOnlyList<string> chosen)
    {
        string[] names = [.. runs.SelectMany(run => run.Cases).Select(outcome => outcome.CaseId).Distinct(StringComparer.Ordinal)];
        if (names.Length <= Most)
        {
            return new ReportSelection { Shown = runs };
        }

        ResultRow[] rows = [.. runs.SelectMany(Aggregates.Rows)];
        ILookup<string, ResultRow> byCase = rows.ToLookup(row => row.CaseId, StringComparer.Ordinal);
        HashSet<string> shown = [.. names.Where(chosen.Contains), .. names.OrderBy(name => Standing(byCase[name])).Take(Most)];
        return new ReportSelection
        {
            Shown =
            [
                .. runs.Select(run => run with { Cases = [.. run.Cases.Where(outcome => shown.Contains(outcome.CaseId))] })
                    .Where(run => run.Cases.Count > 0),
            ],
            Note =
                $"{shown.Count} of {names.Length} cases are shown, those that failed, fell most or decode slowest, and those named with "
                + "--case; all stand as data at the end.",
        };
    }

    private static double Standing(IEnumerable<ResultRow> rows)
    {
        ResultRow[] all = [.. rows];
        if (Array.Exists(all, row => row.Status == CaseStatus.Failed))
        {
            return double.NegativeInfinity;
        }

        double?[] rates = [.. all.Select(s_decode.Value)];
        return rates is [{ } first, .., { } last] && first > 0 ? last / first
            : rates is [{ } only] ? only
            : double.MaxValue;
    }

    /// <summary>All cases as comma-separated text, a line each.</summary>
    public static string Text(IReadOnlyList<Run> runs)
    {
        StringBuilder text = new($"run_id,case_id,status,n_samples,{string.Join(',', s_medians.Select(median => median.Name))}\n");
        foreach (ResultRow row in runs.SelectMany(Aggregates.Rows))
        {
            text.Append(
                    CultureInfo.InvariantCulture,
                    $"{row.Run.RunId},{row.CaseId},{row.Status.ToString().ToLowerInvariant()},{row.SampleCount},"
                )
                .AppendJoin(',', s_medians.Select(median => median.Value(row)?.ToString("G6", CultureInfo.InvariantCulture)))
                .Append('\n');
        }

        return text.ToString();
    }
}
