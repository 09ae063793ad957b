using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Report;

/// <summary>Round positions on an axis.</summary>
internal static class AxisTicks
{
    private const double PixelsEach = 90;
    private const int Roughest = 4;
    private static readonly int[] s_factors = [1, 2, 5, 10];

    /// <summary>Multiples of 1, 2 or 5 times a power of ten from 0 to a maximum.</summary>
    public static IReadOnlyList<(double Position, string Label)> Linear(double maximum, double width)
    {
        double least = maximum * PixelsEach / width;
        double power = Math.Pow(10, Math.Floor(Math.Log10(least)));
        double step = s_factors.Select(factor => factor * power).First(step => step >= least * 0.999);
        return [.. Enumerable.Range(0, (int)(maximum * 0.97 / step) + 1).Select(i => (i * step, Label(i * step)))];
    }

    /// <summary>The numbers 1, 2, 5, 10, 20 … between two on a logarithmic axis, or round numbers between when those are too few; positions
    /// are logarithms to base 10.</summary>
    public static IReadOnlyList<(double Position, string Label)> Logarithmic(double low, double high, double width, string unit)
    {
        int first = (int)Math.Floor(low);
        double[] all =
        [
            .. Enumerable
                .Range(first, (int)Math.Ceiling(high) - first + 1)
                .SelectMany(power => Enumerable.Range(10, 90).Select(i => i / 10.0 * Math.Pow(10, power)))
                .Where(value => Math.Log10(value) > low + (0.02 * (high - low)) && Math.Log10(value) < high - (0.04 * (high - low))),
        ];
        double[] round = [.. all.Where(value => Roughness(value) < Roughest)];
        double[] wanted = [.. (round.Length > 1 ? round : all).OrderBy(Roughness).ThenBy(value => value)];
        List<double> taken = [];
        double gap = (high - low) * PixelsEach / width;
        foreach (double value in wanted.Where(value => taken.All(other => Math.Abs(Math.Log10(value / other)) >= gap)))
        {
            taken.Add(value);
        }

        return [.. taken.Order().Select(value => (Math.Log10(value), $"{Label(value)} {unit}"))];
    }

    /// <summary>How far a number's digits are from those that people count in.</summary>
    private static int Roughness(double value)
    {
        double digits = Math.Round(value / Math.Pow(10, Math.Floor(Math.Log10(value) + 1e-9)), 6);
        return digits is 1 ? 0
            : digits is 2 or 5 ? 1
            : digits % 1 == 0 ? 2
            : digits * 2 % 1 == 0 ? 3
            : Roughest;
    }

    private static string Label(double value)
    {
        string text = Figure.Text(value);
        return text.Contains('.') ? text.TrimEnd('0').TrimEnd('.') : text;
    }
}
