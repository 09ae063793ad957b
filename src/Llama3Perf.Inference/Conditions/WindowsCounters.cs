using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Conditions;

/// <summary>Reads a Windows machine: its system times, and its performance counters for what those do not tell. Its clock is relative to
/// the nominal one and passes 100 % in turbo.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class WindowsCounters
{
    private const double FileTimesPerMs = 10_000;
    private const double KelvinOfZeroCelsius = 273.15;

    private static readonly Lazy<PerformanceCounter?> s_clock = new(() =>
        MachineProbe.Ask(() => new PerformanceCounter("Processor Information", "% Processor Performance", "_Total", readOnly: true))
    );

    private static readonly Lazy<PerformanceCounter[]> s_zones = new(() =>
        MachineProbe.Ask(() =>
            new PerformanceCounterCategory("Thermal Zone Information")
                .GetInstanceNames()
                .Select(zone => new PerformanceCounter("Thermal Zone Information", "Temperature", zone, readOnly: true))
                .ToArray()
        ) ?? []
    );

    /// <summary>A reading at these clocks.</summary>
    public static MachineReading Read(double monotonicMs, double wallMs, double ownCpuMs)
    {
        ulong idle,
            kernel,
            user,
            awake;
        // The kernel's time holds the idle time.
        bool told = GetSystemTimes(&idle, &kernel, &user);
        return new MachineReading
        {
            MonotonicMs = monotonicMs,
            WallMs = wallMs,
            BootMs = GetTickCount64(),
            AwakeMs = QueryUnbiasedInterruptTime(&awake) ? awake / FileTimesPerMs : null,
            Processors = told
                ? new ProcessorTimes(
                    (kernel + user - idle) / FileTimesPerMs,
                    null,
                    (kernel + user) / FileTimesPerMs,
                    Environment.ProcessorCount
                )
                : null,
            OwnCpuMs = ownCpuMs,
            CpuClockPercent = MachineProbe.Ask(() => s_clock.Value?.NextValue()),
            CpuCelsius = MachineProbe.Ask(() =>
                s_zones.Value.Length == 0 ? null : s_zones.Value.Max(zone => (double?)zone.NextValue()) - KelvinOfZeroCelsius
            ),
            Power = WindowsMachine.PowerLine(),
        };
    }

    [LibraryImport("kernel32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetSystemTimes(ulong* idle, ulong* kernel, ulong* user);

    [LibraryImport("kernel32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool QueryUnbiasedInterruptTime(ulong* time);

    [LibraryImport("kernel32.dll")]
    private static partial ulong GetTickCount64();
}
