using SkiaSharp;

namespace Llama3Perf.Results.Report;

/// <summary>The machine's font for charts that are pixels; SVG has the reader's.</summary>
/// <param name="Regular">Letters of most labels.</param>
/// <param name="Bold">Letters of titles.</param>
internal sealed record ChartFont(SKTypeface Regular, SKTypeface Bold)
{
    private static readonly string[] s_families = ["Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial"];

    /// <summary>The first known family that the machine has, else its own choice; null when the machine has no letters, as slim containers
    /// do.</summary>
    public static ChartFont? OfMachine()
    {
        string? family = s_families.FirstOrDefault(SKFontManager.Default.FontFamilies.Contains);
        return Of(SKTypeface.FromFamilyName(family, SKFontStyle.Normal), SKTypeface.FromFamilyName(family, SKFontStyle.Bold));
    }

    /// <summary>A font of these typefaces; null when they have no letters. Skia gives an empty typeface, not an error, where there is no
    /// font.</summary>
    public static ChartFont? Of(SKTypeface? regular, SKTypeface? bold) =>
        regular?.ContainsGlyph('0') != true ? null : new ChartFont(regular, bold ?? regular);

    /// <summary>Draws a label.</summary>
    public void Draw(SKCanvas canvas, ChartLabel label)
    {
        using SKFont font = new(label.Bold ? Bold : Regular, label.Size) { Subpixel = true, Edging = SKFontEdging.Antialias };
        using SKPaint paint = new() { Color = new SKColor(label.Color.R, label.Color.G, label.Color.B), IsAntialias = true };
        canvas.DrawText(
            label.Text,
            (float)label.X,
            (float)label.Baseline,
            label.Centred ? SKTextAlign.Center : SKTextAlign.Left,
            font,
            paint
        );
    }
}
