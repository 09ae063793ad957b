using System.Globalization;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>How much may be measured: a time, or a number of times.</summary>
/// <param name="Time">Time from the first launch on; null for none.</param>
/// <param name="Count">Launches or blocks of a case; null for any number.</param>
internal sealed record Budget(TimeSpan? Time, int? Count)
{
    /// <summary>As it was asked for: <c>10m</c>, or <c>20 blocks</c>.</summary>
    /// <param name="what">What is counted.</param>
    public string Text(string what) =>
        Time is { } time
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{(time.TotalSeconds < 90 ? $"{time.TotalSeconds:0.##} s" : $"{time.TotalMinutes:0.##} min")}"
            )
            : $"{Count} {what}";
}
