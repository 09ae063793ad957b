using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Report;

/// <summary>How far the slowest tokens of every case are from its usual one: the 99th percentile in medians, so that fast and slow cases
/// share a scale.</summary>
internal static class TailChart
{
    private const double RowHeight = 13;
    private static readonly Column<Sample> s_p50 = SampleSchema.Metric("itl_p50_ms");
    private static readonly Column<Sample> s_p99 = SampleSchema.Metric("itl_p99_ms");

    /// <summary>Draws the chart, or nothing when no case has latencies.</summary>
    public static bool Draw(ChartSheet sheet, ReportData data)
    {
        (string Name, (int Series, string Label, double Ratio)[] Tails)[] groups =
        [
            .. data.Cases.Select(found => (found.ShortName, Tails(data, found))).Where(group => group.Item2.Length > 0),
        ];
        if (groups.Length == 0)
        {
            return false;
        }

        double most = Math.Max(1.5, groups.SelectMany(group => group.Tails).Max(tail => tail.Ratio)) * 1.25;
        double high = Math.Log10(most);
        sheet.SetRange(0, high);
        sheet.ShowAxis(AxisTicks.Logarithmic(0, high, sheet.InnerWidth, "x"));
        foreach ((string name, (int Series, string Label, double Ratio)[] tails) in groups)
        {
            sheet.Lines(name, Palette.Ink);
            foreach ((int series, string label, double ratio) in tails)
            {
                double middle = sheet.Y + (RowHeight / 2);
                double end = Math.Log10(Math.Max(1, ratio));
                sheet.Line(0, middle, end, middle, Palette.Series(series), width: 4);
                sheet.Text(sheet.Right(end, 6), middle, label, Palette.Ink, ChartSheet.SmallSize);
                sheet.Y += RowHeight + 3;
            }

            sheet.Y += 6;
        }

        return true;
    }

    private static (int Series, string Label, double Ratio)[] Tails(ReportData data, ReportCase found) =>
        [
            .. from pair in found.Outcomes.Zip(data.Sides)
            let p50 = ReportData.Estimate(pair.First, s_p50)
            let p99 = ReportData.Estimate(pair.First, s_p99)
            where p50 is not null && p99 is not null
            let ratio = p99.Median / p50.Median
            select (pair.Second.Index, $"{Figure.Text(ratio)}x{(data.Sides.Count > 1 ? $"  {pair.Second.Letter}" : "")}", ratio),
        ];
}
