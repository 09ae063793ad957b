using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Machine;

/// <summary>Memory of this process.</summary>
public static unsafe partial class ProcessMemory
{
    /// <summary>The most resident memory in bytes that this process had so far.</summary>
    public static long? PeakResidentBytes() =>
        MachineProbe.Ask(static () =>
            OperatingSystem.IsLinux() ? LinuxParser.Kilobytes(File.ReadAllText("/proc/self/status"), "VmHWM")
            : OperatingSystem.IsWindows() ? WindowsPeak()
            : OperatingSystem.IsMacOS() ? MacOSPeak()
            : null
        );

    /// <summary>Lets the peak count from now on. False where the system has no such thing: every system but Linux, and Linux where /proc is
    /// not writable.</summary>
    public static bool ResetPeak() =>
        MachineProbe.Ask(static () =>
        {
            if (!OperatingSystem.IsLinux())
            {
                return false;
            }

            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        });

    private static long? WindowsPeak()
    {
        using Process self = Process.GetCurrentProcess();
        return self.PeakWorkingSet64;
    }

    // struct rusage: two timevals of 16 bytes each, then ru_maxrss, which macOS counts in bytes; 18 words of 8 bytes in all.
    private static long? MacOSPeak()
    {
        long* usage = stackalloc long[18];
        return GetRUsage(0, usage) == 0 ? usage[4] : null;
    }

    [LibraryImport("libSystem.dylib", EntryPoint = "getrusage")]
    private static partial int GetRUsage(int who, long* usage);
}
