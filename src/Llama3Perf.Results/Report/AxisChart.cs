using System.Globalization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>A metric of one run's cases over a quantity that they differ in: a line for each precision and engine, a panel for what else
/// they differ in.</summary>
internal static class AxisChart
{
    private const double PanelHeight = 210;
    private const double LineHeight = 14;
    private const double Inset = 20;

    /// <summary>Values further apart than this are shown on a logarithmic scale: on a linear one the small ones lie on the floor.</summary>
    private const double WidestLinear = 20;

    /// <summary>Room above the highest median, as a factor; longer intervals are cut there.</summary>
    private const double Headroom = 1.12;

    /// <summary>Longer names of lines, as a share of the width, stand above the chart.</summary>
    private const double LongestName = 0.3;

    /// <summary>Draws the chart, or nothing when no case has the metric on the axis.</summary>
    public static bool Draw(ChartSheet sheet, ReportData data, CaseAxis axis, Column<Sample> metric)
    {
        string[] lines = [.. data.Cases.Select(axis.Line).Distinct(StringComparer.Ordinal)];
        IGrouping<string, Point>[] panels =
        [
            .. from found in data.Cases
            let value = found.On(axis)
            let estimate = ReportData.Estimate(found.Outcomes[0], metric)
            where value > 0 && estimate is { Median: > 0 }
            group new Point(value.Value, estimate, Array.IndexOf(lines, axis.Line(found))) by axis.Panel(found),
        ];
        if (panels.Length == 0)
        {
            return false;
        }

        sheet.SetRange(0, sheet.InnerWidth);
        string[] ends = Ends(sheet, lines);
        foreach (IGrouping<string, Point> panel in panels)
        {
            sheet.Lines(panel.Key.Length > 0 ? $"{panel.Key}, {metric.Unit}" : metric.Unit, Palette.Ink);
            sheet.Y += 8;
            new Frame(sheet, [.. panel.OrderBy(point => point.Value)], ends).Draw(axis.Name);
            sheet.Y += 12;
        }

        return true;
    }

    /// <summary>What stands at the end of each line: its name or, where names are long, a letter that is explained above.</summary>
    private static string[] Ends(ChartSheet sheet, string[] lines)
    {
        if (lines.All(name => TextWidth.Of(name, ChartSheet.SmallSize) <= sheet.InnerWidth * LongestName))
        {
            return lines;
        }

        for (int i = 0; i < lines.Length; i++)
        {
            sheet.Legend($"{ReportSide.LetterOf(i)}  {lines[i]}", Palette.Series(i));
        }

        sheet.Y += 8;
        return [.. lines.Select((_, i) => ReportSide.LetterOf(i))];
    }

    private sealed record Point(int Value, MedianEstimate Estimate, int Line);

    /// <summary>One panel: where its values lie.</summary>
    private sealed class Frame
    {
        private readonly ChartSheet _sheet;
        private readonly Point[] _points;
        private readonly string[] _ends;
        private readonly (double Position, string Label)[] _ticks;
        private readonly bool _isLogarithmic;
        private readonly double _low;
        private readonly double _high;
        private readonly double _left;
        private readonly double _right;
        private readonly double _top;

        public Frame(ChartSheet sheet, Point[] points, string[] ends)
        {
            (_sheet, _points, _ends, _top) = (sheet, points, ends, sheet.Y);
            double least = points.Min(point => point.Estimate.Median);
            double most = points.Max(point => point.Estimate.Median) * Headroom;
            _isLogarithmic = least > 0 && most / least > WidestLinear;
            (_low, _high) = _isLogarithmic ? (Math.Log10(least / Headroom), Math.Log10(most)) : (0, most);

            // Ticks stand half as far apart as on an axis across.
            _ticks =
            [
                .. _isLogarithmic ? AxisTicks.Logarithmic(_low, _high, PanelHeight * 2, "") : AxisTicks.Linear(_high, PanelHeight * 2),
            ];
            _left = _ticks.Max(tick => TextWidth.Of(tick.Label.TrimEnd(), ChartSheet.SmallSize)) + 8;
            _right = sheet.InnerWidth - ends.Max(end => TextWidth.Of(end, ChartSheet.SmallSize)) - 12;
        }

        public void Draw(string axis)
        {
            foreach ((double position, string label) in _ticks)
            {
                double y = _top + Down(position);
                _sheet.Line(_left, y, _right, y, Palette.Grid, width: 1);
                _sheet.Text(0, y, label.TrimEnd(), Palette.Muted, ChartSheet.SmallSize);
            }

            DrawValues(axis);
            Point[][] lines = [.. _points.GroupBy(point => point.Line).OrderBy(line => line.Key).Select(line => line.ToArray())];
            foreach (Point[] line in lines)
            {
                DrawLine(line, hasFigures: lines.Length == 1);
            }

            DrawEnds(lines);
            _sheet.Y = _top + PanelHeight + 38;
        }

        private void DrawValues(string axis)
        {
            double free = double.NegativeInfinity;
            foreach (int value in _points.Select(point => point.Value).Distinct())
            {
                string label = value.ToString(CultureInfo.InvariantCulture);
                double half = TextWidth.Of(label, ChartSheet.SmallSize) / 2;
                if (Across(value) - half > free)
                {
                    _sheet.Text(Across(value), _top + PanelHeight + 14, label, Palette.Muted, ChartSheet.SmallSize, centred: true);
                    free = Across(value) + half + 6;
                }
            }

            _sheet.Text((_left + _right) / 2, _top + PanelHeight + 31, axis, Palette.Muted, ChartSheet.SmallSize, centred: true);
        }

        private void DrawLine(Point[] line, bool hasFigures)
        {
            _sheet.Path([.. line.Select(point => (Across(point.Value), Height(point.Estimate.Median)))], Palette.Series(line[0].Line));
            double free = double.NegativeInfinity;
            foreach (Point point in line)
            {
                double x = Across(point.Value);
                if (point.Estimate.Interval is { } interval)
                {
                    _sheet.Line(x, Height(interval.Low), x, Height(interval.High), Palette.Ink, width: 1);
                }

                _sheet.Dot(x, Height(point.Estimate.Median), 8, Palette.Series(point.Line));
                string figure = Figure.Text(point.Estimate.Median);
                double half = TextWidth.Of(figure, ChartSheet.SmallSize) / 2;
                if (hasFigures && x - half > free)
                {
                    double top = Height(point.Estimate.Interval?.High ?? point.Estimate.Median);
                    _sheet.Text(x, top - 12, figure, Palette.Ink, ChartSheet.SmallSize, centred: true);
                    free = x + half + 4;
                }
            }
        }

        /// <summary>Names beside the last points, moved apart where lines end together.</summary>
        private void DrawEnds(Point[][] lines)
        {
            double free = double.NegativeInfinity;
            foreach (Point last in lines.Select(line => line[^1]).OrderBy(point => Height(point.Estimate.Median)))
            {
                double y = Math.Max(Height(last.Estimate.Median), free);
                _sheet.Text(Across(last.Value) + 9, y, _ends[last.Line], Palette.Ink, ChartSheet.SmallSize);
                free = y + LineHeight;
            }
        }

        // Counts are chosen by doubling, so they stand at equal distances.
        private double Across(int value)
        {
            double first = Math.Log2(_points[0].Value);
            double span = Math.Max(Math.Log2(_points[^1].Value) - first, 1e-9);
            return _left + Inset + ((Math.Log2(value) - first) / span * (_right - _left - (2 * Inset)));
        }

        private double Height(double value) => _top + Down(_isLogarithmic ? Math.Log10(Math.Max(value, double.Epsilon)) : value);

        private double Down(double position) => (1 - ((Math.Clamp(position, _low, _high) - _low) / (_high - _low))) * PanelHeight;
    }
}
