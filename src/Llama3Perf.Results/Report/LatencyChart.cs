using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using ScottPlot;

namespace Llama3Perf.Results.Report;

/// <summary>How the times between tokens are spread in every case: a hill where the single tokens are known, else the line from the median
/// to the 99th percentile.</summary>
internal static class LatencyChart
{
    private const double HillHeight = 34;
    private const double BinPixels = 4;
    private static readonly Column<Sample> s_p50 = SampleSchema.Metric("itl_p50_ms");
    private static readonly Column<Sample> s_p99 = SampleSchema.Metric("itl_p99_ms");

    /// <summary>Draws the chart, or nothing when no case has latencies.</summary>
    public static bool Draw(ChartSheet sheet, ReportData data)
    {
        (string Name, Spread[] Spreads)[] groups =
        [
            .. data.Cases.Select(found => (Name: found.ShortName, Spreads: Spreads(data, found))).Where(group => group.Spreads.Length > 0),
        ];
        if (groups.Length == 0)
        {
            return false;
        }

        Spread[] all = [.. groups.SelectMany(group => group.Spreads)];
        double low = Math.Log10(all.Min(spread => spread.Low) * 0.9);
        double high = Math.Log10(all.Max(spread => spread.High) * 1.15);
        sheet.SetRange(low, high);
        sheet.ShowAxis(AxisTicks.Logarithmic(low, high, sheet.InnerWidth, s_p50.Unit));
        foreach ((string name, Spread[] spreads) in groups)
        {
            sheet.Lines(name, Palette.Ink);
            foreach (Spread spread in spreads)
            {
                sheet.Lines(spread.Label, Palette.Muted, ChartSheet.SmallSize);
                DrawSpread(sheet, spread, low, high);
            }

            sheet.Y += 9;
        }

        return true;
    }

    private static void DrawSpread(ChartSheet sheet, Spread spread, double low, double high)
    {
        double height = spread.Gaps.Length > 0 ? HillHeight : 12;
        double floor = sheet.Y + height;
        Color color = Palette.Series(spread.Series);
        double p50 = Math.Log10(spread.P50);
        double p99 = Math.Log10(spread.P99);
        if (spread.Gaps.Length > 0)
        {
            sheet.Fill(Hill(spread.Gaps, low, high, sheet.InnerWidth, floor), color);
            sheet.Line(p99, floor - (height / 2), p99, floor, Palette.Ink);
            sheet.Line(p50, floor - height, p50, floor, Palette.Ink);
        }
        else
        {
            sheet.Line(p50, floor - 6, p99, floor - 6, color, width: 4);
            sheet.Line(p50, floor - 12, p50, floor, Palette.Ink);
            sheet.Line(p99, floor - 9, p99, floor - 3, Palette.Ink);
        }

        sheet.Y = floor + 4;
    }

    /// <summary>The outline of a histogram over the logarithms, its highest bin as high as the hill.</summary>
    private static Coordinates[] Hill(double[] gaps, double low, double high, double width, double floor)
    {
        int[] counts = new int[(int)(width / BinPixels)];
        double bin = (high - low) / counts.Length;
        foreach (double gap in gaps)
        {
            int i = (int)((Math.Log10(gap) - low) / bin);
            if (i >= 0 && i < counts.Length)
            {
                counts[i]++;
            }
        }

        double most = Math.Max(1, counts.Max());
        int from = Math.Max(0, Array.FindIndex(counts, count => count > 0));
        int to = Math.Max(from, Array.FindLastIndex(counts, count => count > 0));
        return
        [
            new(low + (from * bin), -floor),
            .. Enumerable
                .Range(from, to - from + 1)
                .SelectMany(i =>
                    new Coordinates[]
                    {
                        new(low + (i * bin), -floor + (counts[i] / most * HillHeight)),
                        new(low + ((i + 1) * bin), -floor + (counts[i] / most * HillHeight)),
                    }
                ),
            new(low + ((to + 1) * bin), -floor),
        ];
    }

    private static Spread[] Spreads(ReportData data, ReportCase found)
    {
        return [.. found.Outcomes.Zip(data.Sides, Of).OfType<Spread>()];

        Spread? Of(CaseOutcome? outcome, ReportSide side)
        {
            if (ReportData.Estimate(outcome, s_p50) is not { } p50 || ReportData.Estimate(outcome, s_p99) is not { } p99)
            {
                return null;
            }

            string label =
                $"{(data.Sides.Count > 1 ? $"{side.Letter}  " : "")}p50 {ReportData.Text(p50.Median, s_p50.Unit)}, p99 "
                + $"{ReportData.Text(p99.Median, s_p99.Unit)}";
            return new Spread(side.Index, label, p50.Median, p99.Median, Gaps(outcome!));
        }
    }

    /// <summary>All times between tokens; iterations are pooled for their shape only, the percentiles are those of iterations.</summary>
    private static double[] Gaps(CaseOutcome outcome) =>
        [
            .. outcome
                .Samples.Where(sample => sample.Completed)
                .SelectMany(sample => sample.TokenMs.Zip(sample.TokenMs.Skip(1), (before, after) => after - before))
                .Where(gap => gap > 0 && double.IsFinite(gap))
                .Order(),
        ];

    private sealed record Spread(int Series, string Label, double P50, double P99, double[] Gaps)
    {
        /// <summary>A few stray tokens do not set the scale.</summary>
        public double Low => Gaps.Length > 0 ? Math.Min(P50, Gaps[Gaps.Length / 200]) : P50;

        public double High => Gaps.Length > 0 ? Math.Max(P99, Gaps[^(1 + (Gaps.Length / 200))]) : P99;
    }
}
