using System.Runtime.CompilerServices;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using SummaryTable = Llama3Perf.Results.Files.SummaryTable;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>The columns of the suite's own table in BenchmarkDotNet's.</summary>
internal static class SummaryColumn
{
    private static readonly Column<ResultRow>[] s_columns = [.. SummaryTable.Columns.Where(column => column.IsNumber)];

    private static readonly ConditionalWeakTable<BenchmarkReport, ResultRow> s_rows = [];

    public static IColumn[] All { get; } =
    [
        .. s_columns.Select(column => new ReportColumn(
            column.Title,
            $"{column.Name} of results.csv",
            (benchmark, report) => Cell(benchmark, report, column)
        )),
    ];

    private static string? Cell(BenchmarkCase benchmark, BenchmarkReport report, Column<ResultRow> column) =>
        PlannedCases.Of(benchmark) is { } planned
        && column.Shown(s_rows.GetValue(report, _ => Row(planned, report))) is { Length: > 0 } text
            ? text
            : null;

    private static ResultRow Row(PlannedCase planned, BenchmarkReport report)
    {
        // Which run it is and where it ran stand in no cell of this table.
        RunIdentity identity = new("", default, null);
        RunEnvironment environment = new();
        CaseOutcome outcome = OutcomeReader.Read(planned, report, identity, environment);
        return Aggregates.Row(new Run(identity, environment, [outcome]), outcome);
    }
}
