using System.Globalization;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>What a page says before anything else: its title, and a few figures that stand for all.</summary>
internal static class ReportTiles
{
    /// <summary>Model, adapter or processor and, of several runs, what they differ in.</summary>
    public static string Title(ReportData data)
    {
        string[] models = [.. data.Rows.Select(row => row.Case.ModelName).Distinct(StringComparer.Ordinal)];
        string[] places = [.. data.Rows.Select(Place).Distinct(StringComparer.Ordinal)];
        string subject =
            $"{(models is [var model] ? model : $"{models.Length} models")} on "
            + $"{(places is [var place] ? place : $"{places.Length} systems")}";
        return data.Sides.Count == 1 ? subject : $"{subject}: {data.Sides.Count} runs";
    }

    /// <summary>Name, figure, what it is of and whether it is bad, for each tile that the runs have something for.</summary>
    public static IEnumerable<(string Name, string Figure, string Of, bool IsBad)> Of(ReportData data, RunComparison? comparison)
    {
        Column<Sample> decode = CaseTable.DecodeRate;
        (ReportCase Case, double Rate)[] rates =
        [
            .. from found in data.Cases
            from outcome in found.Outcomes
            let estimate = ReportData.Estimate(outcome, decode)
            where estimate is not null
            select (found, estimate.Median),
        ];
        if (rates.Length > 0)
        {
            (ReportCase best, double rate) = rates.MaxBy(found => found.Rate);
            yield return ("fastest decode", ReportData.Text(rate, decode.Unit), best.ShortName, false);
        }

        if (comparison is not null && Change(comparison, decode) is { } change)
        {
            yield return (
                "decode, last run against first",
                string.Create(CultureInfo.InvariantCulture, $"{(change.Ratio - 1) * 100:+0.0;−0.0;0.0} %"),
                change.Count == 1 ? "" : $"geometric mean of {change.Count} cases",
                false
            );
        }

        if (comparison is not null)
        {
            // Of many runs the older ones are history.
            int slower = comparison
                .Rows.SelectMany(row => data.IsMany ? row.Cells.TakeLast(1) : row.Cells)
                .Count(cell => cell?.Judgement?.Verdict == MetricVerdict.Regression);
            yield return ("regressions", $"{slower}", data.IsMany ? "in the last run" : "", slower > 0);
        }

        int failed = data.Rows.Count(row => row.Status == CaseStatus.Failed);
        int unsteady = data.Rows.Count(row => CaseTable.Note(row) is "unsteady" or "noisy");
        string runs = data.IsMany ? $"in {data.Sides.Count} runs" : "";
        yield return ("failures", $"{failed}", runs, failed > 0);
        yield return ("unsteady or noisy", $"{unsteady}", runs, unsteady > 0);
    }

    private static MeanRatio? Change(RunComparison comparison, Column<Sample> metric) =>
        comparison.Rows.Where(row => row.Metric == metric).Select(row => row.Cells[^1]?.Judgement?.Ratio).OfType<RatioEstimate>().ToArray()
            is { Length: > 0 } ratios
            ? MeanRatio.Of(ratios, comparison.Options.Alpha)
            : null;

    private static string Place(ResultRow row) =>
        row.Case.Provider != "cpu" && row.Environment.GpuName is { } gpu ? gpu
        : row.Environment.CpuName is { } cpu ? cpu
        : row.Case.Provider;
}
