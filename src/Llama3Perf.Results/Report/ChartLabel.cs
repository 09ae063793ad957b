using ScottPlot;

namespace Llama3Perf.Results.Report;

/// <summary>A line of text on a chart.</summary>
/// <param name="Text">What it says.</param>
/// <param name="X">Its left edge or, when centred, its middle: pixels from the left.</param>
/// <param name="Baseline">Where its letters stand: pixels from the top.</param>
/// <param name="Centred">Whether <paramref name="X"/> is its middle.</param>
/// <param name="Size">Size of the font, pixels.</param>
/// <param name="Bold">Whether it is bold.</param>
/// <param name="Color">Its colour.</param>
internal sealed record ChartLabel(string Text, double X, double Baseline, bool Centred, float Size, bool Bold, Color Color);
