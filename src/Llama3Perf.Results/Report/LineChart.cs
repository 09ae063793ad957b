using System.Globalization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>A metric of every case over what the runs differ in, a panel each: medians with intervals, and the change against the
/// first.</summary>
internal static class LineChart
{
    private const double PanelHeight = 84;

    /// <summary>A panel spans at least this share of its value, so that noise does not look like news.</summary>
    private const double LeastSpan = 0.1;

    /// <summary>Room for intervals beyond the medians, as a share of their range; longer ones are cut at the panel's edge.</summary>
    private const double WhiskerRoom = 0.5;

    /// <summary>More names than these stand at some of the points only.</summary>
    private const int MostNames = 26;

    /// <summary>Draws the chart, or nothing when no case has the metric on two sides.</summary>
    public static bool Draw(ChartSheet sheet, ReportData data, Column<Sample> metric)
    {
        ReportSide[] sides = [.. InOrder(data)];
        (string Name, MedianEstimate?[] Estimates)[] panels =
        [
            .. data
                .Cases.Select(found =>
                    (found.ShortName, sides.Select(side => ReportData.Estimate(found.Outcomes[side.Index], metric)).ToArray())
                )
                .Where(panel => panel.Item2.Count(estimate => estimate is not null) > 1),
        ];
        if (panels.Length == 0)
        {
            return false;
        }

        sheet.SetRange(0, sheet.InnerWidth);
        string[] names = Names(sheet, sides);
        foreach ((string name, MedianEstimate?[] estimates) in panels)
        {
            sheet.Lines($"{name}, {metric.Unit}", Palette.Ink);
            sheet.Y += 20;
            DrawPanel(sheet, names, estimates);
            sheet.Y += 14;
        }

        return true;
    }

    /// <summary>Commits in the order of their runs; versions and numbers by their parts, 9 before 10; what is unknown last.</summary>
    private static IEnumerable<ReportSide> InOrder(ReportData data) =>
        data.Varied is null or "build_commit"
            ? data.Sides.OrderBy(side => side.Run.Identity.TestTime)
            : data.Sides.OrderBy(side => side.Varied is null).ThenBy(side => side.Varied ?? "", VersionOrder.Instance);

    /// <summary>What stands below the points: what is varied or, where that is too long, a letter that is explained above.</summary>
    private static string[] Names(ChartSheet sheet, ReportSide[] sides)
    {
        string[] names = [.. sides.Select(side => side.Varied ?? (side.Run.Identity.Label ?? Date(side)))];
        if (names.All(name => TextWidth.Of(name, ChartSheet.SmallSize) < (sheet.InnerWidth / sides.Length) - 8))
        {
            return names;
        }

        if (sides.Length > MostNames)
        {
            // As many as fit, evenly.
            double widest = names.Max(name => TextWidth.Of(name, ChartSheet.SmallSize)) + 12;
            int each = Math.Max(1, (int)Math.Ceiling(sides.Length * widest / sheet.InnerWidth));
            return [.. names.Select((name, i) => i % each == 0 ? name : "")];
        }

        foreach ((ReportSide side, string name) in sides.Zip(names))
        {
            sheet.Lines($"{side.Letter}  {name}", Palette.Muted, ChartSheet.SmallSize);
        }

        sheet.Y += 8;
        return [.. sides.Select(side => side.Letter)];
    }

    private static string Date(ReportSide side) => side.Run.Identity.TestTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static void DrawPanel(ChartSheet sheet, string[] names, MedianEstimate?[] estimates)
    {
        double slot = sheet.InnerWidth / names.Length;
        MedianEstimate[] known = [.. estimates.OfType<MedianEstimate>()];
        // Medians set the scale: one wide interval would flatten the line.
        double low = known.Min(estimate => estimate.Median);
        double high = known.Max(estimate => estimate.Median);
        double margin = (high - low) * WhiskerRoom;
        (low, high) = (low - margin, high + margin);
        double widening = Math.Max(0, (LeastSpan * high) - (high - low)) / 2;
        (low, high) = (low - widening, high + widening);
        double top = sheet.Y;
        double first = Height(known[0].Median);
        sheet.Line(0, first, sheet.InnerWidth, first, Palette.Grid);

        (double X, double Y)? before = null;
        for (int i = 0; i < names.Length; i++)
        {
            double x = (i + 0.5) * slot;
            if (estimates[i] is { } estimate)
            {
                double y = Height(estimate.Median);
                if (before is { } previous)
                {
                    sheet.Line(previous.X, previous.Y, x, y, Palette.Series(0), width: 2);
                }

                before = (x, y);
                DrawPoint(
                    sheet,
                    x,
                    y,
                    estimate.Interval is { } interval ? (Height(interval.Low), Height(interval.High)) : (y, y),
                    slot > 12
                );
                DrawLabel(sheet, x, slot, estimate, known[0], Height(estimate.Interval?.High ?? estimate.Median));
            }

            sheet.Text(x, top + PanelHeight + 14, names[i], Palette.Muted, ChartSheet.SmallSize, centred: true);
        }

        sheet.Y += PanelHeight + 26;

        double Height(double value) => top + PanelHeight - ((Math.Clamp(value, low, high) - low) / (high - low) * PanelHeight);
    }

    private static void DrawPoint(ChartSheet sheet, double x, double y, (double Low, double High) interval, bool isWide)
    {
        sheet.Line(x, interval.Low, x, interval.High, Palette.Ink);
        if (isWide)
        {
            sheet.Line(x - 4, interval.Low, x + 4, interval.Low, Palette.Ink);
            sheet.Line(x - 4, interval.High, x + 4, interval.High, Palette.Ink);
        }

        sheet.Dot(x, y, isWide ? 9 : 4, Palette.Series(0));
    }

    /// <summary>The figure with its change above the point; the figure alone, or nothing, where many runs leave no room.</summary>
    private static void DrawLabel(ChartSheet sheet, double x, double slot, MedianEstimate estimate, MedianEstimate first, double top)
    {
        string figure = Figure.Text(estimate.Median);
        string change = ReferenceEquals(estimate, first) ? "" : $" ({(estimate.Median / first.Median) - 1:+0.0 %;−0.0 %;0.0 %})";
        string? label = new[] { figure + change, figure }.FirstOrDefault(text => TextWidth.Of(text, ChartSheet.SmallSize) < slot - 4);
        if (label is not null)
        {
            sheet.Text(x, top - 10, label, Palette.Ink, ChartSheet.SmallSize, centred: true);
        }
    }
}
