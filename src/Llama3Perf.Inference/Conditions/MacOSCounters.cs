using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Llama3Perf.Inference.Conditions;

/// <summary>Reads a macOS machine: its processors' ticks and its two clocks. It has no pressure figures and tells temperatures to root
/// only.</summary>
[SupportedOSPlatform("macos")]
internal static unsafe partial class MacOSCounters
{
    private const int CpuLoadInfo = 3;
    private const int ClockMonotonicRaw = 4;
    private const int ClockUptimeRaw = 8;
    private const double MsPerTick = 10;

    /// <summary>A reading at these clocks.</summary>
    public static MachineReading Read(double monotonicMs, double wallMs, double ownCpuMs)
    {
        // user, system, idle, nice
        uint* ticks = stackalloc uint[4];
        uint count = 4;
        bool told = HostStatistics(MachHostSelf(), CpuLoadInfo, ticks, &count) == 0;
        return new MachineReading
        {
            MonotonicMs = monotonicMs,
            WallMs = wallMs,
            BootMs = ClockNanoseconds(ClockMonotonicRaw) / 1e6,
            AwakeMs = ClockNanoseconds(ClockUptimeRaw) / 1e6,
            Processors = told
                ? new ProcessorTimes(
                    ((double)ticks[0] + ticks[1] + ticks[3]) * MsPerTick,
                    null,
                    ((double)ticks[0] + ticks[1] + ticks[2] + ticks[3]) * MsPerTick,
                    Environment.ProcessorCount
                )
                : null,
            OwnCpuMs = ownCpuMs,
        };
    }

    [LibraryImport("libSystem.dylib", EntryPoint = "mach_host_self")]
    private static partial uint MachHostSelf();

    [LibraryImport("libSystem.dylib", EntryPoint = "host_statistics")]
    private static partial int HostStatistics(uint host, int flavor, uint* info, uint* count);

    [LibraryImport("libSystem.dylib", EntryPoint = "clock_gettime_nsec_np")]
    private static partial ulong ClockNanoseconds(int clock);
}
