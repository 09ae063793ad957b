using System.Runtime.CompilerServices;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using SummaryTable = Llama3Perf.Results.Files.SummaryTable;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>The columns of the suite's own table in BenchmarkDotNet's.</summary>
internal static class SummaryColumn
{
    private static readonly (string Header, string Legend)[] s_columns =
    [
        ("prompt", "Prompt tokens"),
        ("new", "New tokens"),
        ("TTFT ms", "Time to first token, median"),
        ("prefill tok/s", "Prompt tokens over the prompt-processing call, median"),
        ("decode tok/s", "New tokens after the first over their time, median"),
        ("± sd", "Standard deviation of decode tok/s over iterations"),
        ("ITL p50 ms", "Median inter-token latency"),
        ("ITL p99 ms", "99th percentile of inter-token latency"),
        ("e2e tok/s", "New tokens over the whole generation, median"),
        ("article tok/s", "Prompt and new tokens over the whole generation: the 2024 article's count"),
        ("peak MiB", "Peak resident memory of the measuring process"),
    ];

    private static readonly ConditionalWeakTable<BenchmarkReport, Dictionary<string, string>> s_cells = [];

    public static IColumn[] All { get; } =
        [.. s_columns.Select(column => new ReportColumn(column.Header, column.Legend, (benchmark, report) => Cell(benchmark, report, column.Header)))];

    private static string? Cell(BenchmarkCase benchmark, BenchmarkReport report, string header) =>
        PlannedCases.Of(benchmark) is { } planned
            ? s_cells.GetValue(report, _ => Cells(planned, report)).GetValueOrDefault(header)
            : null;

    private static Dictionary<string, string> Cells(PlannedCase planned, BenchmarkReport report)
    {
        // Which run it is and where it ran stand in no cell of this table.
        RunIdentity identity = new("", default, null);
        RunEnvironment environment = new();
        CaseOutcome outcome = OutcomeReader.Read(planned, report, identity, environment);
        TextTable table = SummaryTable.Of([Aggregates.Row(new Run(identity, environment, [outcome]), outcome)]);
        return table.Columns.Zip(table.Rows[0]).ToDictionary(pair => pair.First.Header, pair => pair.Second);
    }
}
