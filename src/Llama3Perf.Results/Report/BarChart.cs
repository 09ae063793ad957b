using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>A metric of every case: bars from zero, each with its figure and its 95 % interval.</summary>
internal static class BarChart
{
    private const double BarHeight = 15;
    private const double LabelGap = 8;

    /// <summary>Draws the chart, or nothing when no case has the metric.</summary>
    public static bool Draw(ChartSheet sheet, ReportData data, Column<Sample> metric)
    {
        (string Name, Bar[] Bars)[] groups =
        [
            .. data.Cases.Select(found => (found.Name, Bars: Bars(data, found, metric))).Where(group => group.Bars.Length > 0),
        ];
        if (groups.Length == 0)
        {
            return false;
        }

        // The longest bar ends where its label still fits beside it.
        double right = groups
            .SelectMany(group => group.Bars)
            .Max(bar => bar.End * sheet.InnerWidth / Math.Max(sheet.InnerWidth - bar.LabelWidth - LabelGap, sheet.InnerWidth / 3));
        sheet.SetRange(0, right);
        sheet.ShowAxis(AxisTicks.Linear(right, sheet.InnerWidth));
        foreach ((string name, Bar[] bars) in groups)
        {
            sheet.Lines(name, Palette.Ink);
            sheet.Y += 1.5;
            foreach (Bar bar in bars)
            {
                Draw(sheet, bar);
            }

            sheet.Y += 11;
        }

        return true;
    }

    private static void Draw(ChartSheet sheet, Bar bar)
    {
        double middle = sheet.Y + (BarHeight / 2);
        sheet.Fill(0, bar.Estimate.Median, sheet.Y, BarHeight, Palette.Series(bar.Series));
        if (bar.Estimate.Interval is { } interval)
        {
            sheet.Line(interval.Low, middle, interval.High, middle, Palette.Ink);
            sheet.Line(interval.Low, middle - 4, interval.Low, middle + 4, Palette.Ink);
            sheet.Line(interval.High, middle - 4, interval.High, middle + 4, Palette.Ink);
        }

        sheet.Text(sheet.Right(bar.End, LabelGap), middle, bar.Label, Palette.Ink, ChartSheet.SmallSize);
        sheet.Y += BarHeight + 4;
    }

    private static Bar[] Bars(ReportData data, ReportCase found, Column<Sample> metric)
    {
        return [.. found.Outcomes.Zip(data.Sides, Of).OfType<Bar>()];

        Bar? Of(CaseOutcome? outcome, ReportSide side)
        {
            if (ReportData.Estimate(outcome, metric) is not { } estimate)
            {
                return null;
            }

            string label = ReportData.Text(estimate.Median, metric.Unit) + (data.Sides.Count > 1 ? $"  {side.Letter}" : "");
            return new Bar(estimate, side.Index, label, TextWidth.Of(label, ChartSheet.SmallSize));
        }
    }

    private sealed record Bar(MedianEstimate Estimate, int Series, string Label, float LabelWidth)
    {
        public double End => Math.Max(Estimate.Median, Estimate.Interval?.High ?? 0);
    }
}
