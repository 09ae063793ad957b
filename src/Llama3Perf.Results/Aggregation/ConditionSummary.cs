using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Aggregation;

/// <summary>The conditions of a case from those of its iterations.</summary>
internal static class ConditionSummary
{
    /// <summary>Shares are means over the time watched, counts and times are sums, temperatures the highest, levels the mean.</summary>
    public static Conditions Of(IReadOnlyList<Conditions> iterations) =>
        new()
        {
            WatchedMs = Sum(iterations, one => one.WatchedMs),
            ForeignCpuPercent = Share(iterations, one => one.ForeignCpuPercent) is { } foreign ? Math.Max(0, foreign) : null,
            StealPercent = Share(iterations, one => one.StealPercent),
            CpuPressurePercent = Share(iterations, one => one.CpuPressurePercent),
            MemoryPressurePercent = Share(iterations, one => one.MemoryPressurePercent),
            MajorFaults = (long?)Sum(iterations, one => one.MajorFaults),
            CpuClockPercent = Share(iterations, one => one.CpuClockPercent),
            ThrottleCount = (long?)Sum(iterations, one => one.ThrottleCount),
            CpuCelsius = iterations.Max(one => one.CpuCelsius),
            Power = Texts(iterations.Select(one => one.Power), " then "),
            StoppedMs = Sum(iterations, one => one.StoppedMs),
            SuspendedMs = Sum(iterations, one => one.SuspendedMs),
            ClockSetMs = Sum(iterations, one => one.ClockSetMs),
            GpuClockPercent = Share(iterations, one => one.GpuClockPercent),
            GpuThrottle = Texts(iterations.SelectMany(one => (one.GpuThrottle ?? "").Split('+')), "+"),
            GpuCelsius = iterations.Max(one => one.GpuCelsius),
            GpuWatts = Share(iterations, one => one.GpuWatts),
            GpuForeignPercent = Share(iterations, one => one.GpuForeignPercent),
        };

    // A short iteration is read in few ticks: weighted by time, what one has too much the next has too little.
    private static double? Share(IReadOnlyList<Conditions> iterations, Func<Conditions, double?> value)
    {
        (double Value, double Weight)[] known =
        [
            .. iterations.Where(one => value(one) is not null).Select(one => (value(one)!.Value, one.WatchedMs ?? 1)),
        ];
        double weight = known.Sum(one => one.Weight);
        return weight > 0 ? known.Sum(one => one.Value * one.Weight) / weight : null;
    }

    private static double? Sum(IReadOnlyList<Conditions> iterations, Func<Conditions, double?> value)
    {
        double[] known = [.. iterations.Select(value).OfType<double>()];
        return known.Length == 0 ? null : known.Sum();
    }

    private static string? Texts(IEnumerable<string?> texts, string separator) =>
        string.Join(separator, texts.Where(text => !string.IsNullOrEmpty(text)).Distinct()) is { Length: > 0 } joined ? joined : null;
}
