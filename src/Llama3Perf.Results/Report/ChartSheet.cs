using System.Text;
using ScottPlot;
using SkiaSharp;

namespace Llama3Perf.Results.Report;

/// <summary>
/// A chart being drawn: across in the units of its axis, down in pixels from the top, so that names and marks of any number of
/// cases keep their size and never overlap; the sheet grows instead.
/// </summary>
internal sealed class ChartSheet : IDisposable
{
    public const float TextSize = 13;
    public const float SmallSize = 11.5f;
    private const float Margin = 6;
    private const float AxisHeight = 24;
    private readonly Plot _plot = new();
    private readonly float _width;
    private readonly List<Action> _atLeft = [];
    private double _left;
    private double _right = 1;
    private bool _hasAxis;

    /// <param name="width">Width of the whole chart, pixels.</param>
    public ChartSheet(float width)
    {
        _width = width;
        foreach (IAxis axis in new IAxis[] { _plot.Axes.Left, _plot.Axes.Right, _plot.Axes.Top, _plot.Axes.Bottom })
        {
            axis.IsVisible = false;
        }

        _plot.HideGrid();
    }

    /// <summary>Width between the margins, pixels.</summary>
    public float InnerWidth => _width - (2 * Margin);

    /// <summary>Where the next thing is drawn: pixels from the top.</summary>
    public double Y { get; set; } = 4;

    /// <summary>Sets what the sheet's width stands for.</summary>
    public void SetRange(double left, double right) => (_left, _right) = (left, right);

    /// <summary>Puts a value axis with these ticks below the chart, and its grid behind.</summary>
    public void ShowAxis(IReadOnlyList<(double Position, string Label)> ticks)
    {
        _hasAxis = true;
        _plot.ShowGrid();
        _plot.Grid.MajorLineColor = Palette.Grid;
        _plot.Grid.YAxisStyle.IsVisible = false;
        IAxis bottom = _plot.Axes.Bottom;
        bottom.IsVisible = true;
        bottom.FrameLineStyle.Width = 0;
        bottom.MajorTickStyle.Length = 0;
        bottom.TickLabelStyle.ForeColor = Palette.Muted;
        bottom.TickLabelStyle.FontSize = SmallSize;
        _plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. ticks.Select(tick => tick.Position)], [.. ticks.Select(tick => tick.Label)]);
    }

    /// <summary>The position on the axis so many pixels right of another.</summary>
    public double Right(double x, double pixels) => x + (pixels * (_right - _left) / InnerWidth);

    /// <summary>The position on the axis so many pixels from the left.</summary>
    public double At(double pixels) => Right(_left, pixels);

    /// <summary>Text that begins at a position, its middle at a height.</summary>
    public void Text(double x, double y, string text, Color color, float size = TextSize, bool bold = false, Alignment alignment = Alignment.MiddleLeft)
    {
        ScottPlot.Plottables.Text label = _plot.Add.Text(Printable(text), x, -y);
        label.LabelFontColor = color;
        label.LabelFontSize = size;
        label.LabelBold = bold;
        label.LabelAlignment = alignment;
    }

    /// <summary>A whole line of text from the left at <see cref="Y"/>, broken at slashes and spaces where it does not fit.</summary>
    public void Lines(string text, Color color, float size = TextSize, bool bold = false, float indent = 0)
    {
        foreach (string line in Break(text, InnerWidth - indent, size, bold))
        {
            double y = Y + (size * 0.7);
            _atLeft.Add(() => Text(At(indent), y, line, color, size, bold));
            Y += size * 1.4;
        }
    }

    /// <summary>A line that says what a colour stands for.</summary>
    public void Legend(string text, Color color)
    {
        const double Swatch = 12;
        double top = Y + 3;
        _atLeft.Add(() => Fill(At(0), At(Swatch), top, Swatch, color));
        Lines(text, Palette.Ink, SmallSize, indent: 20);
        Y += 2;
    }

    /// <summary>A filled rectangle.</summary>
    public void Fill(double left, double right, double top, double height, Color color) =>
        Fill([new(left, -top), new(right, -top), new(right, -top - height), new(left, -top - height)], color);

    /// <summary>A filled outline; down is negative.</summary>
    public void Fill(Coordinates[] outline, Color color)
    {
        ScottPlot.Plottables.Polygon polygon = _plot.Add.Polygon(outline);
        polygon.FillColor = color;
        polygon.LineWidth = 0;
    }

    /// <summary>A straight line.</summary>
    public void Line(double x1, double y1, double x2, double y2, Color color, float width = 1.5f, bool dashed = false)
    {
        ScottPlot.Plottables.LinePlot line = _plot.Add.Line(x1, -y1, x2, -y2);
        line.LineColor = color;
        line.LineWidth = width;
        line.LinePattern = dashed ? LinePattern.Dashed : LinePattern.Solid;
        line.MarkerSize = 0;
    }

    /// <summary>A dot.</summary>
    public void Dot(double x, double y, float size, Color color) => _plot.Add.Marker(x, -y, MarkerShape.FilledCircle, size, color);

    /// <summary>The sheet as SVG without a background, as ScottPlot draws it.</summary>
    public string Svg()
    {
        using MemoryStream stream = new();
        using (SKManagedWStream output = new(stream))
        using (SKCanvas canvas = SKSvgCanvas.Create(new SKRect(0, 0, _width, Height()), output))
        {
            Render(canvas, Colors.Transparent);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The sheet on white as PNG, two dots a pixel.</summary>
    public byte[] Png()
    {
        const int Scale = 2;
        using SKSurface surface = SKSurface.Create(new SKImageInfo((int)(_width * Scale), (int)(Height() * Scale)));
        surface.Canvas.Scale(Scale);
        Render(surface.Canvas, Colors.White);
        using SKImage image = surface.Snapshot();
        return image.Encode(SKEncodedImageFormat.Png, quality: 100).ToArray();
    }

    public void Dispose() => _plot.Dispose();

    /// <summary>Width of a text, pixels.</summary>
    public static float WidthOf(string text, float size, bool bold = false)
    {
        using Paint paint = Paint.NewDisposablePaint();
        return new LabelStyle { Text = Printable(text), FontSize = size, Bold = bold }.Measure(paint).Width;
    }

    /// <summary>Text that fits a width, cut with an ellipsis where it must.</summary>
    public static string Fit(string text, float width, float size)
    {
        int length = text.Length;
        while (length > 1 && WidthOf(length == text.Length ? text : text[..length] + "…", size) > width)
        {
            length--;
        }

        return length == text.Length ? text : text[..length] + "…";
    }

    /// <summary>Text without characters that no file can hold: controls and halves of pairs.</summary>
    public static string Printable(string text) => string.Concat(text.EnumerateRunes().Select(rune => Rune.IsControl(rune) || rune.Value >= 0xFFFE ? " " : rune.ToString()));

    private static IEnumerable<string> Break(string text, float width, float size, bool bold)
    {
        string rest = text;
        while (WidthOf(rest, size, bold) > width && rest.Length > 8)
        {
            int end = rest.Length - 1;
            while (end > 4 && WidthOf(rest[..end], size, bold) > width)
            {
                end--;
            }

            int space = rest.LastIndexOfAny(['/', ' ', '-'], end - 1);
            end = space > 4 ? space + 1 : end;
            yield return rest[..end];
            rest = rest[end..];
        }

        yield return rest;
    }

    private float Height() => (float)Math.Ceiling(Y) + (_hasAxis ? AxisHeight : Margin);

    private void Render(SKCanvas canvas, Color background)
    {
        // What stands at the left edge waits until the chart has said what the edge stands for.
        _atLeft.ForEach(draw => draw());
        float height = Height();
        float bottom = _hasAxis ? AxisHeight : Margin;
        _plot.FigureBackground.Color = background;
        _plot.DataBackground.Color = Colors.Transparent;
        _plot.Layout.Fixed(new PixelPadding(Margin, Margin, bottom, 0));
        _plot.Axes.SetLimits(_left, _right, -(height - bottom), 0);
        _plot.Render(canvas, new PixelRect(0, _width, height, 0));
    }
}
