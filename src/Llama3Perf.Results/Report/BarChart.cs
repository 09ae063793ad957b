using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>A metric of every case: bars from zero, each with its figure and its 95 % interval.</summary>
internal static class BarChart
{
    private const double BarHeight = 15;
    private const double LabelGap = 8;

    /// <summary>A whisker is drawn up to so many times the highest median.</summary>
    private const double LongestWhisker = 1.2;

    /// <summary>Draws the chart, or nothing when no case has the metric.</summary>
    public static bool Draw(ChartSheet sheet, ReportData data, Column<Sample> metric)
    {
        (string Name, Bar[] Bars)[] groups = data.Sides.Count == 1 ? OfOneRun(data, metric) : OfRuns(data, metric);
        if (groups.Length == 0)
        {
            return false;
        }

        // Medians set the scale: one wide interval would flatten all bars. The longest ends where its label still fits beside it.
        double longest = groups.SelectMany(group => group.Bars).Max(bar => bar.Estimate.Median) * LongestWhisker;
        double right = groups
            .SelectMany(group => group.Bars)
            .Max(bar => bar.End(longest) * sheet.InnerWidth / Math.Max(sheet.InnerWidth - bar.LabelWidth - LabelGap, sheet.InnerWidth / 3));
        sheet.SetRange(0, right);
        sheet.ShowAxis(AxisTicks.Linear(right, sheet.InnerWidth));
        foreach ((string name, Bar[] bars) in groups)
        {
            if (name.Length > 0)
            {
                sheet.Lines(name, Palette.Ink);
            }

            sheet.Y += 1.5;
            foreach (Bar bar in bars)
            {
                Draw(sheet, bar, longest);
            }

            sheet.Y += 11;
        }

        return true;
    }

    private static void Draw(ChartSheet sheet, Bar bar, double longest)
    {
        double middle = sheet.Y + (BarHeight / 2);
        sheet.Fill(0, bar.Estimate.Median, sheet.Y, BarHeight, Palette.Series(bar.Series));
        if (bar.Estimate.Interval is { } interval)
        {
            double high = Math.Min(interval.High, longest);
            sheet.Line(interval.Low, middle, high, middle, Palette.Ink);
            sheet.Line(interval.Low, middle - 4, interval.Low, middle + 4, Palette.Ink);

            // A whisker that goes on ends in an arrow.
            double back = interval.High > longest ? sheet.Right(high, -6) : high;
            sheet.Line(back, middle - 4, high, interval.High > longest ? middle : middle + 4, Palette.Ink);
            if (interval.High > longest)
            {
                sheet.Line(back, middle + 4, high, middle, Palette.Ink);
            }
        }

        sheet.Text(sheet.Right(bar.End(longest), LabelGap), middle, bar.Label, Palette.Ink, ChartSheet.SmallSize);
        sheet.Y += BarHeight + 4;
    }

    private static (string Name, Bar[] Bars)[] OfRuns(ReportData data, Column<Sample> metric) =>
        [.. data.Cases.Select(found => (found.ShortName, Bars(data, found, metric))).Where(group => group.Item2.Length > 0)];

    /// <summary>Cases that differ in precision and engine alone stand together, a colour each.</summary>
    private static (string Name, Bar[] Bars)[] OfOneRun(ReportData data, Column<Sample> metric)
    {
        string[] series = [.. data.Cases.Select(found => found.Series).Distinct(StringComparer.Ordinal)];
        return
        [
            .. data
                .Cases.GroupBy(found => found.Group, StringComparer.Ordinal)
                .Select(group =>
                    (
                        group.Key,
                        group
                            .SelectMany(found =>
                                Bars(data, found, metric).Select(bar => bar.Named(found.Series, Array.IndexOf(series, found.Series)))
                            )
                            .ToArray()
                    )
                )
                .Where(group => group.Item2.Length > 0),
        ];
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
        public Bar Named(string name, int series)
        {
            string label = $"{Label}  {name}".TrimEnd();
            return this with { Series = series, Label = label, LabelWidth = TextWidth.Of(label, ChartSheet.SmallSize) };
        }

        public double End(double longest) => Math.Max(Estimate.Median, Math.Min(Estimate.Interval?.High ?? 0, longest));
    }
}
