using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Report;

/// <summary>The charts of a report as files, for slides and pull requests.</summary>
public static class ReportCharts
{
    /// <summary>Writes each chart as SVG and, where the machine has a font, as PNG; charts that the runs have no figures for are left
    /// out.</summary>
    /// <param name="runs">One run or several.</param>
    /// <param name="folder">Where to write; made when it does not exist.</param>
    /// <param name="options">What they are compared over, and against which.</param>
    /// <exception cref="RunFileException">A file cannot be written.</exception>
    public static ChartFiles Write(IReadOnlyList<Run> runs, string folder, ReportOptions? options = null) =>
        Write(runs, folder, ChartFont.OfMachine(), options);

    /// <summary>Writes the charts with this font, null where the machine has none.</summary>
    internal static ChartFiles Write(IReadOnlyList<Run> runs, string folder, ChartFont? font, ReportOptions? options = null)
    {
        ReportData data = ReportData.Of(ReportSelection.Of(runs, options?.Cases ?? []).Shown, options);
        List<string> paths = [];
        foreach (
            ReportChart chart in ReportChart.All(data).SelectMany(chart => (ReportChart?[])[chart, chart.Details]).OfType<ReportChart>()
        )
        {
            string path = Path.Combine(folder, chart.Slug);
            TextFile.Write($"{path}.svg", chart.Svg(data));
            paths.Add($"{path}.svg");
            if (font is not null)
            {
                TextFile.Write($"{path}.png", chart.Png(data, font));
                paths.Add($"{path}.png");
            }
        }

        return new ChartFiles(
            paths,
            font is null
                ? "No PNG files: this machine has no font to write their labels with. Install one, such as DejaVu Sans; the SVG files need "
                    + "none."
                : null
        );
    }
}

/// <summary>What was written of the charts of a report.</summary>
/// <param name="Paths">The files.</param>
/// <param name="Note">What was left out and why, a line; null when nothing was.</param>
public sealed record ChartFiles(IReadOnlyList<string> Paths, string? Note);
