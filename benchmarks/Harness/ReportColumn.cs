using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>A column of BenchmarkDotNet's own table whose cell is a function of a case and its report.</summary>
internal sealed class ReportColumn(string name, string legend, Func<BenchmarkCase, BenchmarkReport, string?> cell) : IColumn
{
    public string Id => $"{nameof(Llama3Perf)}.{name}";

    public string ColumnName => name;

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => legend;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        summary[benchmarkCase] is { } report ? cell(benchmarkCase, report) ?? "-" : "-";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => summary.Reports.Any(report => cell(report.BenchmarkCase, report) is not null);
}
