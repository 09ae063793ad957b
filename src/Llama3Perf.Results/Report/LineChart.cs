using System.Globalization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;
using ScottPlot;

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

    /// <summary>Points that are closer have no marks of their own: their intervals are a band.</summary>
    private const double LeastSlot = 12;

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
            names = [.. names.Select(ReportSide.Cut)];
            double widest = names.Max(name => TextWidth.Of(name, ChartSheet.SmallSize)) + 12;
            int each = Math.Max(1, (int)Math.Ceiling(sides.Length * widest / sheet.InnerWidth));
            return [.. names.Select((name, i) => i % each == each / 2 && i + (each / 2) < names.Length ? name : "")];
        }

        sheet.Lines(string.Join(", ", sides.Zip(names, (side, name) => $"{side.Letter}: {name}")), Palette.Muted, ChartSheet.SmallSize);
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

        Point[] points =
        [
            .. estimates
                .Select((estimate, i) => (Estimate: estimate, X: (i + 0.5) * slot))
                .Where(point => point.Estimate is not null)
                .Select(point => new Point(
                    point.X,
                    Height(point.Estimate!.Median),
                    Height(point.Estimate.Interval?.Low ?? point.Estimate.Median),
                    Height(point.Estimate.Interval?.High ?? point.Estimate.Median),
                    point.Estimate
                )),
        ];
        bool isDense = slot < LeastSlot;
        if (isDense)
        {
            sheet.Fill(
                [
                    .. points.Select(point => new Coordinates(point.X, -point.High)),
                    .. points.Reverse().Select(point => new Coordinates(point.X, -point.Low)),
                ],
                Palette.Grid
            );
        }

        sheet.Path([.. points.Select(point => (point.X, point.Y))], Palette.Series(0));
        foreach (Point point in isDense ? [points[0], points[^1]] : points)
        {
            DrawPoint(sheet, point);
            DrawLabel(sheet, point, isDense ? sheet.InnerWidth / 2 : slot, known[0]);
        }

        for (int i = 0; i < names.Length; i++)
        {
            if (names[i].Length > 0)
            {
                sheet.Text((i + 0.5) * slot, top + PanelHeight + 14, names[i], Palette.Muted, ChartSheet.SmallSize, centred: true);
            }
        }

        sheet.Y += PanelHeight + 26;

        double Height(double value) => top + PanelHeight - ((Math.Clamp(value, low, high) - low) / (high - low) * PanelHeight);
    }

    private static void DrawPoint(ChartSheet sheet, Point point)
    {
        sheet.Line(point.X, point.Low, point.X, point.High, Palette.Ink);
        sheet.Line(point.X - 4, point.Low, point.X + 4, point.Low, Palette.Ink);
        sheet.Line(point.X - 4, point.High, point.X + 4, point.High, Palette.Ink);
        sheet.Dot(point.X, point.Y, 9, Palette.Series(0));
    }

    /// <summary>The figure with its change above the point; the figure alone, or nothing, where many runs leave no room.</summary>
    private static void DrawLabel(ChartSheet sheet, Point point, double room, MedianEstimate first)
    {
        string figure = Figure.Text(point.Estimate.Median);
        string change = ReferenceEquals(point.Estimate, first)
            ? ""
            : string.Create(CultureInfo.InvariantCulture, $" ({(point.Estimate.Median / first.Median) - 1:+0.0 %;−0.0 %;0.0 %})");
        string? label = new[] { figure + change, figure }.FirstOrDefault(text => TextWidth.Of(text, ChartSheet.SmallSize) < room - 4);
        if (label is not null)
        {
            DrawInside(sheet, point.X, point.High - 10, label);
        }
    }

    /// <summary>Text at a point, moved so that none of it is beyond the sheet.</summary>
    private static void DrawInside(ChartSheet sheet, double x, double y, string text)
    {
        double half = TextWidth.Of(text, ChartSheet.SmallSize) / 2;
        double middle = Math.Clamp(x, Math.Min(half, sheet.InnerWidth / 2), Math.Max(sheet.InnerWidth - half, sheet.InnerWidth / 2));
        sheet.Text(middle, y, text, Palette.Ink, ChartSheet.SmallSize, centred: true);
    }

    /// <summary>A run in a panel: where its median and the ends of its interval are drawn.</summary>
    private sealed record Point(double X, double Y, double Low, double High, MedianEstimate Estimate);
}
