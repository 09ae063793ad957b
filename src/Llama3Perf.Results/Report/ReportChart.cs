namespace Llama3Perf.Results.Report;

/// <summary>One chart of a report.</summary>
/// <param name="Slug">Name of its files.</param>
/// <param name="Title">What it shows.</param>
/// <param name="Caption">How to read it, a sentence.</param>
/// <param name="Draw">Draws it; false when there is nothing to draw.</param>
internal sealed record ReportChart(string Slug, string Title, string Caption, Func<ChartSheet, bool> Draw)
{
    private const float FileWidth = 960;

    /// <summary>False when the chart names the runs itself.</summary>
    public bool HasLegend { get; init; } = true;

    /// <summary>A chart of the same that is opened by those who want it; null for none.</summary>
    public ReportChart? Details { get; init; }

    /// <summary>What opens it, where it is the details of another.</summary>
    public string Opener { get; init; } = "Show the bars";

    /// <summary>The charts that the runs have figures for.</summary>
    public static IReadOnlyList<ReportChart> All(ReportData data)
    {
        var axis = CaseAxis.Of(data);
        IEnumerable<ReportChart> bars = (data.IsMany ? [] : ReportData.Metrics).Select(metric => new ReportChart(
            metric.Slug,
            $"{metric.Title}, {metric.Metric.Unit}",
            $"{Better(metric.Metric.Direction, "Longer", "Shorter")} Median over iterations with its 95 % interval over launches.",
            sheet => BarChart.Draw(sheet, data, metric.Metric)
        ));
        if (axis is not null)
        {
            IEnumerable<ReportChart> overAxis = ReportData.Metrics.Select(metric => new ReportChart(
                $"{metric.Slug}-over-{axis.Name.Replace(' ', '-')}",
                $"{metric.Title} over {axis.Name}",
                $"{Better(metric.Metric.Direction, "Higher", "Lower")} Medians with their 95 % intervals over launches, a line for each "
                    + "precision and engine.",
                sheet => AxisChart.Draw(sheet, data, axis, metric.Metric)
            ));
            bars = axis.HasAll(data) ? overAxis.Zip(bars, (line, bar) => line with { Details = bar }) : [.. overAxis, .. bars];
        }

        IEnumerable<ReportChart> lines =
            data.Varied is null && !data.IsMany
                ? []
                : ReportData.Metrics.Select(metric => new ReportChart(
                    $"{metric.Slug}-over-{data.Varied ?? "time"}",
                    $"{metric.Title} over {data.Varied ?? "time"}",
                    $"{Better(metric.Metric.Direction, "Higher", "Lower")} Change against the first; each case has a scale of its own, "
                        + "which need not begin at zero.",
                    sheet => LineChart.Draw(sheet, data, metric.Metric)
                )
                {
                    HasLegend = false,
                });
        ReportChart latency = new(
            "itl",
            "Inter-token latency, ms",
            "How the time between tokens is spread, on a logarithmic scale; long mark: median, short mark: 99th percentile.",
            sheet => LatencyChart.Draw(sheet, data)
        )
        {
            Opener = "Show the distributions",
        };
        ReportChart tail = new(
            "tail",
            "Slowest tokens",
            "The 99th percentile of the time between tokens, in medians: 1x would be all tokens alike.",
            sheet => TailChart.Draw(sheet, data)
        )
        {
            Details = latency,
        };
        IEnumerable<ReportChart> charts = data.IsMany ? lines : [.. bars, .. lines, tail];
        return [.. charts.Where(HasFigures)];
    }

    /// <summary>The chart as an element of a page.</summary>
    public string Element(ReportData data, float width)
    {
        using ChartSheet sheet = new(width);
        Legend(sheet, data);
        Draw(sheet);
        return SvgChart.Element(sheet);
    }

    /// <summary>The chart as an SVG file.</summary>
    public string Svg(ReportData data)
    {
        using ChartSheet sheet = new(FileWidth);
        DrawFile(sheet, data);
        return SvgChart.File(sheet);
    }

    /// <summary>The chart as a PNG file.</summary>
    public byte[] Png(ReportData data, ChartFont font)
    {
        using ChartSheet sheet = new(FileWidth);
        DrawFile(sheet, data);
        return sheet.Png(font);
    }

    private void DrawFile(ChartSheet sheet, ReportData data)
    {
        sheet.Y = 10;
        sheet.Lines(Title, Palette.Ink, size: 18, bold: true);
        sheet.Lines(Caption + (data.Rows.Any(row => row.Case.Weights == "synthetic") ? " Synthetic weights." : ""), Palette.Muted);
        sheet.Y += 8;
        Legend(sheet, data);
        Draw(sheet);
    }

    private static bool HasFigures(ReportChart chart)
    {
        using ChartSheet sheet = new(FileWidth);
        return chart.Draw(sheet);
    }

    private void Legend(ChartSheet sheet, ReportData data)
    {
        if (!HasLegend || data.Sides.Count < 2)
        {
            return;
        }

        foreach (ReportSide side in data.Sides)
        {
            sheet.Legend($"{side.Letter}  {side.Label}", Palette.Series(side.Index));
        }

        sheet.Y += 8;
    }

    private static string Better(Schema.Direction direction, string higher, string lower) =>
        $"{(direction == Schema.Direction.HigherIsBetter ? higher : lower)} is better.";
}
