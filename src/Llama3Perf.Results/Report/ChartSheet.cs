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

    /// <summary>From the middle of capitals to the line that they stand on, in sizes of the font.</summary>
    private const double MiddleToBaseline = 0.36;

    private readonly Plot _plot = new();
    private readonly float _width;

    // Drawn when all is known: what the edges stand for, and how far down the grid goes.
    private readonly List<Action> _grid = [];
    private readonly List<Action> _marks = [];
    private readonly List<ChartLabel> _labels = [];
    private IReadOnlyList<(double Position, string Label)> _ticks = [];
    private double _left;
    private double _right = 1;

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
        _ticks = ticks;
        double top = Y;
        _grid.AddRange(
            ticks.Select(tick => (Action)(() => AddLine(tick.Position, top, tick.Position, Height() - AxisHeight, Palette.Grid, width: 1)))
        );
    }

    /// <summary>The position on the axis so many pixels right of another.</summary>
    public double Right(double x, double pixels) => x + (pixels * (_right - _left) / InnerWidth);

    /// <summary>The position on the axis so many pixels from the left.</summary>
    public double At(double pixels) => Right(_left, pixels);

    /// <summary>Text at a position of the range that is set, its middle at a height.</summary>
    public void Text(double x, double y, string text, Color color, float size = TextSize, bool centred = false) =>
        _labels.Add(Label(Pixels(x), y, text, color, size, centred));

    /// <summary>A whole line of text from the left at <see cref="Y"/>, broken between its parts where it does not fit.</summary>
    public void Lines(string text, Color color, float size = TextSize, bool bold = false, float indent = 0)
    {
        foreach (string line in Break(text, InnerWidth - indent, size, bold))
        {
            double y = Y + (size * 0.7);
            _labels.Add(Label(Margin + indent, y, line, color, size) with { Bold = bold });
            Y += size * 1.4;
        }
    }

    /// <summary>A line that says what a colour stands for.</summary>
    public void Legend(string text, Color color)
    {
        const double Swatch = 12;
        double top = Y + 3;
        _marks.Add(() => AddFill(Box(At(0), At(Swatch), top, Swatch), color));
        Lines(text, Palette.Ink, SmallSize, indent: 20);
        Y += 2;
    }

    /// <summary>A filled rectangle.</summary>
    public void Fill(double left, double right, double top, double height, Color color) => Fill(Box(left, right, top, height), color);

    /// <summary>A filled outline; down is negative.</summary>
    public void Fill(Coordinates[] outline, Color color) => _marks.Add(() => AddFill(outline, color));

    /// <summary>A straight line.</summary>
    public void Line(double x1, double y1, double x2, double y2, Color color, float width = 1.5f) =>
        _marks.Add(() => AddLine(x1, y1, x2, y2, color, width));

    /// <summary>A line through points, one path however many they are.</summary>
    public void Path(IReadOnlyList<(double X, double Y)> points, Color color, float width = 2) =>
        _marks.Add(() =>
        {
            Coordinates[] drawn = [.. points.Select(point => new Coordinates(point.X, -point.Y))];
            ScottPlot.Plottables.Scatter line = _plot.Add.ScatterLine(drawn);
            line.LineColor = color;
            line.LineWidth = width;
            line.MarkerSize = 0;
        });

    /// <summary>A dot.</summary>
    public void Dot(double x, double y, float size, Color color) =>
        _marks.Add(() => _plot.Add.Marker(x, -y, MarkerShape.FilledCircle, size, color));

    /// <summary>All text of the sheet. ScottPlot draws the rest: it would draw text only with a font of this machine, and nothing without
    /// one.</summary>
    public IReadOnlyList<ChartLabel> Labels() =>
        [
            .. _labels,
            .. _ticks.Select(tick =>
                Label(Pixels(tick.Position), Height() - AxisHeight + 7, tick.Label, Palette.Muted, SmallSize, centred: true)
            ),
        ];

    /// <summary>All of the sheet but its text as SVG without a background, as ScottPlot draws it.</summary>
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
    public byte[] Png(ChartFont font)
    {
        const int Scale = 2;
        using SKSurface surface = SKSurface.Create(new SKImageInfo((int)(_width * Scale), (int)(Height() * Scale)));
        surface.Canvas.Scale(Scale);
        Render(surface.Canvas, Colors.White);
        foreach (ChartLabel label in Labels())
        {
            font.Draw(surface.Canvas, label);
        }

        using SKImage image = surface.Snapshot();
        return image.Encode(SKEncodedImageFormat.Png, quality: 100).ToArray();
    }

    public void Dispose() => _plot.Dispose();

    /// <summary>Text without characters that no file can hold: controls and halves of pairs.</summary>
    public static string Printable(string text) =>
        string.Concat(text.EnumerateRunes().Select(rune => Rune.IsControl(rune) || rune.Value is 0xFFFE or 0xFFFF ? " " : rune.ToString()));

    private static IEnumerable<string> Break(string text, float width, float size, bool bold)
    {
        string rest = text;
        while (TextWidth.Of(rest, size, bold) > width && rest.Length > 8)
        {
            int end = rest.Length - 1;
            while (end > 4 && TextWidth.Of(rest[..end], size, bold) > width)
            {
                end--;
            }

            int part = rest.LastIndexOfAny(['/', ' '], end - 1);
            int gap = part > 4 ? part : rest.LastIndexOf('-', end - 1);
            end = gap > 4 ? gap + 1 : end;
            yield return rest[..end];
            rest = rest[end..];
        }

        yield return rest;
    }

    private static Coordinates[] Box(double left, double right, double top, double height) =>
        [new(left, -top), new(right, -top), new(right, -top - height), new(left, -top - height)];

    private static ChartLabel Label(double x, double y, string text, Color color, float size, bool centred = false) =>
        new(Printable(text), x, y + (size * MiddleToBaseline), centred, size, Bold: false, color);

    private double Pixels(double x) => Margin + ((x - _left) / (_right - _left) * InnerWidth);

    private void AddFill(Coordinates[] outline, Color color)
    {
        ScottPlot.Plottables.Polygon polygon = _plot.Add.Polygon(outline);
        polygon.FillColor = color;
        polygon.LineWidth = 0;
    }

    private void AddLine(double x1, double y1, double x2, double y2, Color color, float width)
    {
        ScottPlot.Plottables.LinePlot line = _plot.Add.Line(x1, -y1, x2, -y2);
        line.LineColor = color;
        line.LineWidth = width;
        line.MarkerSize = 0;
    }

    private float Height() => (float)Math.Ceiling(Y) + Bottom();

    private float Bottom() => _ticks.Count > 0 ? AxisHeight : Margin;

    private void Render(SKCanvas canvas, Color background)
    {
        _grid.ForEach(draw => draw());
        _marks.ForEach(draw => draw());
        float height = Height();
        float bottom = Bottom();
        _plot.FigureBackground.Color = background;
        _plot.DataBackground.Color = Colors.Transparent;
        _plot.Layout.Fixed(new PixelPadding(Margin, Margin, bottom, 0));
        _plot.Axes.SetLimits(_left, _right, -(height - bottom), 0);
        _plot.Render(canvas, new PixelRect(0, _width, height, 0));
    }
}
