using System.Globalization;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Report;

/// <summary>The precision ladder of a checkpoint as people read it: one table and one chart.</summary>
public static class QualityReport
{
    /// <summary>Name of the chart's file.</summary>
    public const string ChartFile = "quality.svg";

    private const string Mark = "# Precision ladder";
    private const float Width = 720;
    private const double PlotHeight = 300;

    /// <summary>The table.</summary>
    public static TextTable Table(IReadOnlyList<QualityRow> rows) =>
        new(
            [
                new("precision", false),
                new("weights MiB", true),
                new("perplexity", true),
                new("mean KL", true),
                new("same token", true),
                new("tok/s", true),
                new("", false),
            ],
            [
                .. rows.Select(row =>
                    (IReadOnlyList<string>)
                        [
                            row.Name,
                            row.WeightBytes is { } bytes ? Figure.Text(bytes / (double)(1 << 20)) : "",
                            Text(row.Perplexity),
                            row.Problem is null
                                ? row.KlNats is { } kl
                                    ? Figure.Text(kl)
                                    : "reference"
                                : "",
                            Text(row.TopPercent),
                            Text(row.TokensPerSecond),
                            row.Problem ?? "",
                        ]
                ),
            ]
        );

    /// <summary>Writes quality.md and quality.svg.</summary>
    /// <param name="rows">The ladder.</param>
    /// <param name="lead">What was measured, a line.</param>
    /// <param name="notes">What is to be known of it.</param>
    /// <param name="folder">Where to.</param>
    /// <returns>The files.</returns>
    /// <exception cref="RunFileException">They cannot be written, or other files are there.</exception>
    public static IReadOnlyList<string> Write(IReadOnlyList<QualityRow> rows, string lead, IReadOnlyList<string> notes, string folder)
    {
        string markdown = Path.Combine(folder, "quality.md");
        string chart = Path.Combine(folder, ChartFile);
        string list = string.Concat(notes.Select(note => $"\n- {MarkdownTable.Escape(note)}"));
        TextFile.Write(
            markdown,
            $"{Mark}\n\n{MarkdownTable.Escape(lead)}\n\n{MarkdownTable.Write(Table(rows))}\n![{lead}]({ChartFile})\n{list}\n",
            Mark,
            force: false
        );
        TextFile.Write(chart, Svg(rows, lead, notes), "<svg", force: false);
        return [markdown, chart];
    }

    /// <summary>Speed across, divergence from the reference down: what is far right and high up costs little and buys much.</summary>
    internal static string Svg(IReadOnlyList<QualityRow> rows, string lead, IReadOnlyList<string> notes)
    {
        using ChartSheet sheet = new(Width);
        sheet.Y = 10;
        sheet.Lines("What a precision costs and buys", Palette.Ink, size: 18, bold: true);
        foreach (string line in (string[])[lead, .. notes, "Right: faster. Down: further from the reference (mean KL divergence, nats)."])
        {
            sheet.Lines(line, Palette.Muted);
        }

        sheet.Y += 16;
        QualityRow[] known = [.. rows.Where(row => row is { Problem: null, TokensPerSecond: not null })];
        double fastest = known.Select(row => row.TokensPerSecond!.Value).DefaultIfEmpty(1).Max();
        double furthest = Math.Max(known.Select(row => row.KlNats ?? 0).DefaultIfEmpty(0).Max(), 1e-9);
        double right = fastest * 1.35;
        sheet.SetRange(0, right);
        double top = sheet.Y;
        for (int line = 0; line <= 4; line++)
        {
            double y = top + (PlotHeight * line / 4);
            sheet.Line(0, y, right, y, Palette.Grid, width: 1);
            sheet.Text(0, y - 8, Figure.Text(furthest * line / 4), Palette.Muted, ChartSheet.SmallSize);
        }

        for (int i = 0; i < known.Length; i++)
        {
            double y = top + (PlotHeight * (known[i].KlNats ?? 0) / furthest);
            sheet.Dot(known[i].TokensPerSecond!.Value, y, 11, Palette.Series(i));
            string label = string.Create(CultureInfo.InvariantCulture, $"{known[i].Name}: perplexity {Text(known[i].Perplexity)}");
            sheet.Text(sheet.Right(known[i].TokensPerSecond!.Value, 10), y, label, Palette.Ink, ChartSheet.SmallSize);
        }

        sheet.Y = top + PlotHeight + 24;
        sheet.ShowAxis(AxisTicks.Linear(right, sheet.InnerWidth));
        sheet.Text(0, sheet.Y, "new tokens a second", Palette.Muted, ChartSheet.SmallSize);
        sheet.Y += 14;
        return SvgChart.File(sheet);
    }

    private static string Text(double? value) => value is { } known ? Figure.Text(known) : "";
}
