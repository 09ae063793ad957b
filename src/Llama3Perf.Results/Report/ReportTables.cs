using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Report;

/// <summary>The tables of a report.</summary>
internal sealed class ReportTables(ReportData data)
{
    private readonly Lazy<RunComparison?> _comparison = new(() => Compare(data));

    private bool HasSides => data.Sides.Count > 1;

    /// <summary>What the bars show, in numbers.</summary>
    public TextTable Figures()
    {
        IEnumerable<TextColumn> names = HasSides ? [SummaryTable.Case, new("run", false)] : [SummaryTable.Case];
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
    public TextTable? Comparison() => _comparison.Value is { } comparison ? ComparisonTable.Of(comparison) : null;

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
            Vary = data.Varied is { } varied ? [varied] : [],
            Metrics = [.. ReportData.Metrics.Select(metric => metric.Metric.Name)],
            AllowSameRun = true,
        };
        return RunComparison.Of([.. data.Sides.Select(side => side.Run)], options);
    }

    /// <summary>The summary table of each run, one under the other.</summary>
    public TextTable Results()
    {
        TextTable table = SummaryTable.Of(data.Rows);
        return !HasSides
            ? table
            : new TextTable(
                [.. table.Columns.Take(1), new TextColumn("run", false), .. table.Columns.Skip(1)],
                [.. table.Rows.Zip(data.Rows, (cells, row) => (string[])[cells[0], row.Run.RunId, .. cells.Skip(1)])]
            );
    }

    /// <summary>Cases that have no figures, with the reason.</summary>
    public TextTable Problems() =>
        new(
            [SummaryTable.Case, new("run", false), SummaryTable.Status, new("reason", false)],
            [
                .. data
                    .Rows.Where(row => row.Status != CaseStatus.Ok)
                    .Select(row =>
                        (string[])[row.CaseId, row.Run.RunId, ResultSchema.Column("status").Text(row), row.Error ?? "no reason known"]
                    ),
            ]
        );

    /// <summary>Cases whose machine was disturbed, with the reasons.</summary>
    public TextTable Unsteady() =>
        new(
            [SummaryTable.Case, new("run", false), new("reason", false)],
            [
                .. data
                    .Rows.Where(row => row.Fitness.Verdict == Steadiness.Unsteady)
                    .Select(row => (string[])[row.CaseId, row.Run.RunId, row.Fitness.Reasons ?? ""]),
            ]
        );

    /// <summary>What is known of each run, its machine and its libraries.</summary>
    public TextTable Environment()
    {
        IEnumerable<string[]> identity = RunColumns.Identity.Select(column => Row(column.Name, side => column.Text(side.Run.Identity)));
        IEnumerable<string[]> environment = RunColumns.Environment.Select(column =>
            Row(column.Name, side => column.Text(side.Run.Environment))
        );
        return new TextTable(
            [new("field", false), .. data.Sides.Select(side => new TextColumn(HasSides ? side.Letter : "value", false))],
            [.. identity.Concat(environment).Where(row => row.Skip(1).Any(cell => cell.Length > 0))]
        );
    }

    private string[] Row(string name, Func<ReportSide, string> text) => [name, .. data.Sides.Select(text)];

    private string[] Figures(ReportCase found, ReportSide side)
    {
        CaseOutcome outcome = found.Outcomes[side.Index]!;
        Sample[] completed = [.. outcome.Samples.Where(sample => sample.Completed)];
        IEnumerable<string> names = HasSides ? [found.Name, $"{side.Letter}  {side.Label}"] : [found.Name];
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
