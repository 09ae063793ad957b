using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Export;

/// <summary>One number for a dashboard: a metric of a case, its median over iterations.</summary>
/// <param name="Row">The case.</param>
/// <param name="Name">Name of the metric, without <c>_median</c>.</param>
/// <param name="Column">The column of results.csv that holds the number.</param>
/// <param name="Value">The number.</param>
internal sealed record ExportedMetric(ResultRow Row, string Name, Column<ResultRow> Column, double Value)
{
    /// <summary>Name of the case on a dashboard: all of its parameters, and whether its weights are synthetic.</summary>
    public string CaseName => Row.Case.Weights == "synthetic" ? $"{Row.CaseId}/synthetic" : Row.CaseId;

    /// <summary>Another statistic of the same metric, <c>_min</c> for one, or null where results.csv has none.</summary>
    public double? Statistic(string suffix) =>
        Column.Name.EndsWith(ResultSchema.MedianSuffix, StringComparison.Ordinal)
            ? ResultSchema.Table.Find(Name + suffix)?.Value(Row)
            : null;

    /// <summary>Every metric that has a direction, of every case that ended well.</summary>
    /// <exception cref="RunFileException">There is none.</exception>
    public static IReadOnlyList<ExportedMetric> Of(Run run)
    {
        ExportedMetric[] metrics =
        [
            .. from row in Aggregates.Rows(run)
            where row.Status == CaseStatus.Ok
            from column in ResultSchema.Table.Columns
            where column.Direction != Direction.None
            let value = column.Value(row)
            where value is not null
            select new ExportedMetric(row, NameOf(column), column, value.Value),
        ];
        return metrics.Length > 0
            ? metrics
            : throw new RunFileException($"{run.Source ?? run.Identity.RunId} has no case with a result; there is nothing to export");
    }

    private static string NameOf(Column<ResultRow> column) =>
        column.Name.EndsWith(ResultSchema.MedianSuffix, StringComparison.Ordinal)
            ? column.Name[..^ResultSchema.MedianSuffix.Length]
            : column.Name;
}
