using Llama3Perf.Results.Rows;
using static Llama3Perf.Results.Schema.Column;

namespace Llama3Perf.Results.Schema;

/// <summary>The columns of <see cref="Conditions"/>, the same in both files. None is gated: they say what a figure is worth.</summary>
internal static class ConditionColumns
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Column<Conditions>> All { get; } =
    [
        Info("watched_ms", (Conditions c) => c.WatchedMs, Cells.Milliseconds, since: 3),
        Info("foreign_cpu_pct", (Conditions c) => c.ForeignCpuPercent, Cells.Percent, since: 3),
        Info("steal_pct", (Conditions c) => c.StealPercent, Cells.Percent, since: 3),
        Info("cpu_pressure_pct", (Conditions c) => c.CpuPressurePercent, Cells.Percent, since: 3),
        Info("memory_pressure_pct", (Conditions c) => c.MemoryPressurePercent, Cells.Percent, since: 3),
        Info("major_faults", (Conditions c) => c.MajorFaults, Cells.OptionalEvents, since: 3),
        Info("cpu_clock_pct", (Conditions c) => c.CpuClockPercent, Cells.Percent, since: 3),
        Info("throttle_count", (Conditions c) => c.ThrottleCount, Cells.OptionalEvents, since: 3),
        Info("cpu_celsius", (Conditions c) => c.CpuCelsius, Cells.Celsius, since: 3),
        Info("power", (Conditions c) => c.Power, Cells.OptionalText, since: 3),
        Info("stopped_ms", (Conditions c) => c.StoppedMs, Cells.Milliseconds, since: 3),
        Info("suspended_ms", (Conditions c) => c.SuspendedMs, Cells.Milliseconds, since: 3),
        Info("clock_set_ms", (Conditions c) => c.ClockSetMs, Cells.MillisecondsDifference, since: 3),
        Info("gpu_clock_pct", (Conditions c) => c.GpuClockPercent, Cells.Percent, since: 3),
        Info("gpu_throttle", (Conditions c) => c.GpuThrottle, Cells.OptionalText, since: 3),
        Info("gpu_celsius", (Conditions c) => c.GpuCelsius, Cells.Celsius, since: 3),
        Info("gpu_watts", (Conditions c) => c.GpuWatts, Cells.Watts, since: 3),
        Info("gpu_foreign_pct", (Conditions c) => c.GpuForeignPercent, Cells.Percent, since: 3),
    ];
}
