using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Results.Rows;

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

/// <summary>What a case of the main job is, a column for each part, in place of the one parameter that holds it.</summary>
internal sealed class CaseColumn(string name, int place, Func<CaseKey, string> cell) : IColumn
{
    /// <summary>The parameter of the main job that holds a planned case.</summary>
    public const string Parameter = "Case";

    public static IColumn[] All { get; } =
    [
        new CaseColumn("Model", 0, key => key.ModelName),
        new CaseColumn("Engine", 1, key => key.Engine),
        new CaseColumn("Provider", 2, key => key.Provider),
        // Block size 32 is the usual one and goes unsaid.
        new CaseColumn("Precision", 3, key => key.BlockSize is null or 32 ? key.Precision : $"{key.Precision}-b{key.BlockSize}"),
        new CaseColumn("Prompt", 4, key => key.PromptId),
        new CaseColumn("MaxLength", 5, key => key.MaxLength.ToString(CultureInfo.InvariantCulture)),
    ];

    public string Id => $"{nameof(Llama3Perf)}.{nameof(CaseColumn)}.{name}";

    public string ColumnName => name;

    public bool AlwaysShow => false;

    public ColumnCategory Category => ColumnCategory.Params;

    public int PriorityInCategory => place;

    public bool IsNumeric => false;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => $"{name} of the case";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) =>
        PlannedCases.Of(benchmarkCase) is { } planned ? cell(planned.Key) : "-";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => summary.BenchmarksCases.Any(benchmark => PlannedCases.Of(benchmark) is not null);
}
