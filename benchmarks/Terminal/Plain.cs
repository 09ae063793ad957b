using System.Globalization;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Numbers of things and times in plain English.</summary>
internal static class Plain
{
    /// <summary>A number of things.</summary>
    public static string Counted(int count, string one, string? several = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? one : several ?? one + "s")}");

    /// <summary>A time as people say it: <c>40 s</c>, <c>1 min 20 s</c>, <c>12 min</c>.</summary>
    public static string Duration(double seconds)
    {
        int whole = (int)Math.Ceiling(Math.Max(0, seconds));
        return whole < 90 ? $"{whole} s"
            : whole < 600 ? $"{whole / 60} min {whole % 60 / 10 * 10} s"
            : whole < 5400 ? $"{(whole + 30) / 60} min"
            : $"{whole / 3600} h {whole % 3600 / 60} min";
    }
}
