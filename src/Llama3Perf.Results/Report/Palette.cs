using ScottPlot;

namespace Llama3Perf.Results.Report;

/// <summary>
/// The colours of the charts, each with the name of the CSS variable that replaces it in the page, where it follows the reader's
/// light or dark setting. The series are those of Okabe and Ito, which people tell apart whatever colours they see.
/// </summary>
internal static class Palette
{
    public static Color Ink { get; } = Color.FromHex("#1b1f28");

    public static Color Muted { get; } = Color.FromHex("#5a6270");

    public static Color Grid { get; } = Color.FromHex("#e0e3e9");

    private static readonly Color[] s_seriesColors =
    [
        Color.FromHex("#0072b2"),
        Color.FromHex("#d55e00"),
        Color.FromHex("#009e73"),
        Color.FromHex("#cc79a7"),
        Color.FromHex("#e69f00"),
        Color.FromHex("#56b4e9"),
    ];

    /// <summary>Every colour with its CSS variable.</summary>
    public static IReadOnlyList<(Color Color, string Variable)> Variables { get; } =
    [(Ink, "--ink"), (Muted, "--muted"), (Grid, "--grid"), .. s_seriesColors.Select((color, i) => (color, $"--series-{i}"))];

    /// <summary>Colour of a series; they repeat, which is why a letter stands beside each mark.</summary>
    public static Color Series(int index) => s_seriesColors[index % s_seriesColors.Length];
}
