using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>The tables of a report.</summary>
internal sealed class ReportTables(ReportData data)
{
    private static readonly TextColumn s_run = new("run", IsNumber: false);
    private static readonly TextColumn s_reason = new("reason", IsNumber: false);

    private readonly Lazy<RunComparison?> _comparison = new(() => Compare(data));

    private bool HasSides => data.Sides.Count > 1;

    /// <summary>What the bars show, in numbers.</summary>
    public TextTable Figures()
    {
        IEnumerable<TextColumn> names = HasSides ? [SummaryTable.Case, s_run] : [SummaryTable.Case];
        return new TextTable(
            [
                .. names,
                .. ReportData.Metrics.Select(metric => TextColumn.Of(metric.Metric)),
                new("launches", true),
                new("iterations", true),
            ],
            [
                .. from found in data.Cases
                from side in data.Sides
                where found.Outcomes[side.Index]?.Status == CaseStatus.Ok
                select Figures(found, side),
            ]
        );
    }

    /// <summary>Every run against the first; null for one run, and for runs that differ in more than a comparison allows.</summary>
    public RunComparison? Compared => _comparison.Value;

    /// <summary>The same as a table, the worst first, with verdict and ratio in front; null where there is none. Of many runs it has the
    /// last, and how many of them were worse.</summary>
    public TextTable? Comparison() =>
        Compared is not { } comparison
            ? null
            : new TextTable(
                [
                    ComparisonTable.Verdict,
                    ComparisonTable.Ratio,
                    SummaryTable.Case,
                    ComparisonTable.Metric,
                    data.IsMany ? new("worse in", false) : s_run,
                    new("baseline", true),
                    new("now", true),
                ],
                [
                    .. from row in comparison.Rows
                    from side in data.IsMany ? [row.Cells.Count - 1] : Enumerable.Range(1, row.Cells.Count - 1)
                    let cell = row.Cells[side]
                    let judged = cell?.Judgement
                    where judged is not null
                    orderby judged.Verdict == MetricVerdict.Regression descending
                    select (string[])
                        [
                            ComparisonTable.Word(judged.Verdict),
                            ComparisonTable.RatioText(judged),
                            data.Names.Of(row.Case),
                            row.Metric.Name,
                            data.IsMany ? Worse(row) : Name(data.Sides[side]),
                            Figure.Text(row.Cells[0]?.Median.Median),
                            Figure.Text(cell?.Median.Median),
                        ],
                ]
            );

    /// <summary>Where the answers of runs differ from those of the first, a line each.</summary>
    public IReadOnlyList<string> AnswerChanges => _comparison.Value?.AnswerChanges ?? [];

    private static RunComparison? Compare(ReportData data)
    {
        if (data.Sides.Count < 2 || data.Warning is not null)
        {
            return null;
        }

        ComparisonOptions options = new()
        {
            Vary = data.Vary,
            Metrics = [.. ReportData.Metrics.Select(metric => metric.Metric.Name)],
            AllowSameRun = true,
        };
        return RunComparison.Of(data.Runs, options);
    }

    /// <summary>The summary table of each run, one under the other.</summary>
    public TextTable Results()
    {
        TextTable table = SummaryTable.Of(data.Rows);
        return !HasSides
            ? table
            : new TextTable(
                [.. table.Columns.Take(1), s_run, .. table.Columns.Skip(1)],
                [.. table.Rows.Zip(data.Rows, (cells, row) => (string[])[cells[0], row.Run.ShownName(), .. cells.Skip(1)])]
            );
    }

    /// <summary>What the files note of measured cases.</summary>
    public TextTable Notes() => ByRuns([new("note", false)], data.Rows.Where(row => row.Notes is not null), row => [row.Notes!]);

    /// <summary>Cases that ended in one of these ways, with the reason.</summary>
    public TextTable Problems(params CaseStatus[] ends) =>
        ByRuns(
            [SummaryTable.Status, s_reason],
            data.Rows.Where(row => ends.Contains(row.Status)),
            row => [ResultSchema.Column("status").Text(row), row.Error ?? "no reason known"]
        );

    /// <summary>Cases whose machine was disturbed, with the reasons.</summary>
    public TextTable Unsteady() =>
        ByRuns([s_reason], data.Rows.Where(row => row.Fitness.Verdict == Steadiness.Unsteady), row => [row.Fitness.Reasons ?? ""]);

    /// <summary>What is to be said of cases, once for all runs of which it is true; a page of one run does not name it.</summary>
    private TextTable ByRuns(TextColumn[] columns, IEnumerable<ResultRow> rows, Func<ResultRow, string[]> cells) =>
        new(
            [SummaryTable.Case, .. columns, .. HasSides ? [s_run] : Array.Empty<TextColumn>()],
            [
                .. rows.Select(row => (Row: row, Cells: (string[])[row.CaseId, .. cells(row)]))
                    .GroupBy(found => string.Join('\n', found.Cells), StringComparer.Ordinal)
                    .Select(same =>
                        (string[])
                            [.. same.First().Cells, .. HasSides ? [Runs([.. same.Select(found => found.Row)])] : Array.Empty<string>()]
                    ),
            ]
        );

    private static string Runs(IReadOnlyList<ResultRow> rows) =>
        rows.Count < 4
            ? string.Join(", ", rows.Select(row => row.Run.ShownName()))
            : $"{rows.Count} runs, {rows[0].Run.ShownName()} to {rows[^1].Run.ShownName()}";

    private static string Name(ReportSide side) => $"{side.Letter}  {side.ShortName}";

    private string Worse(ComparedMetric row)
    {
        int[] worse =
        [
            .. Enumerable.Range(1, row.Cells.Count - 1).Where(side => row.Cells[side]?.Judgement?.Verdict == MetricVerdict.Regression),
        ];
        return worse.Length == 0 ? "" : $"{worse.Length} of {row.Cells.Count - 1} runs, first {data.Sides[worse[0]].ShortName}";
    }

    /// <summary>What is known of each run, its machine and its libraries: a row a run of what they differ in, then what
    /// they share.</summary>
    public (TextTable Runs, TextTable Shared) Environment()
    {
        (string Name, string[] Cells)[] fields =
        [
            .. RunColumns
                .Identity.Select(column => (column.Name, data.Sides.Select(side => column.Text(side.Run.Identity)).ToArray()))
                .Concat(
                    RunColumns.Environment.Select(column =>
                        (column.Name, data.Sides.Select(side => column.Text(side.Run.Environment)).ToArray())
                    )
                )
                .Where(field => field.Item2.Any(cell => cell.Length > 0)),
        ];
        ILookup<bool, (string Name, string[] Cells)> byKind = fields.ToLookup(field => HasSides && field.Cells.Distinct().Count() > 1);
        TextTable runs = new(
            [s_run, .. byKind[true].Select(field => new TextColumn(field.Name, false))],
            [.. data.Sides.Select((side, i) => (string[])[Name(side), .. byKind[true].Select(field => field.Cells[i])])]
        );
        TextTable shared = new(
            [new("field", false), new("value", false)],
            [.. byKind[false].Select(field => (string[])[field.Name, field.Cells[0]])]
        );
        return (runs, shared);
    }

    private string[] Figures(ReportCase found, ReportSide side)
    {
        CaseOutcome outcome = found.Outcomes[side.Index]!;
        Sample[] completed = [.. outcome.Samples.Where(sample => sample.Completed)];
        IEnumerable<string> names = HasSides ? [found.Name, Name(side)] : [found.Name];
        return
        [
            .. names,
            .. ReportData.Metrics.Select(metric => Estimate(outcome, metric.Metric)),
            $"{completed.Select(sample => sample.LaunchIndex).Distinct().Count()}",
            $"{completed.Length}",
        ];
    }

    private static string Estimate(CaseOutcome outcome, Column<Sample> metric) =>
        ReportData.Estimate(outcome, metric) switch
        {
            null => "",
            { Interval: { } interval } estimate =>
                $"{Figure.Text(estimate.Median)} [{Figure.Text(interval.Low)}, {Figure.Text(interval.High)}]",
            { } estimate => Figure.Text(estimate.Median),
        };
}
