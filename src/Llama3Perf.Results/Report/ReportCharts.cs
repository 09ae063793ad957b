using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Report;

/// <summary>The charts of a report as files, for slides and pull requests.</summary>
public static class ReportCharts
{
    /// <summary>Writes each chart as PNG and as SVG; charts that the runs have no figures for are left out.</summary>
    /// <param name="runs">One run or several.</param>
    /// <param name="folder">Where to write; made when it does not exist.</param>
    /// <returns>Paths of the files.</returns>
    /// <exception cref="RunFileException">A file cannot be written.</exception>
    public static IReadOnlyList<string> Write(IReadOnlyList<Run> runs, string folder)
    {
        ReportData data = ReportData.Of(runs);
        List<string> paths = [];
        foreach (ReportChart chart in ReportChart.All(data))
        {
            string path = Path.Combine(folder, chart.Slug);
            TextFile.Write($"{path}.svg", chart.Svg(data));
            TextFile.Write($"{path}.png", chart.Png(data));
            paths.AddRange([$"{path}.svg", $"{path}.png"]);
        }

        return paths;
    }
}
