using System.Security.Cryptography;
using System.Text;

namespace Llama3Perf.Inference.Machine;

/// <summary>Looks at the machine that this process runs on.</summary>
public static class MachineProbe
{
    /// <summary>Everything that the system tells. A part that can't be found out is null and never an error.</summary>
    public static MachineInfo Capture()
    {
        MachineInfo info =
            OperatingSystem.IsLinux() ? new LinuxMachine("/").Capture(NvidiaSmi.Gpus())
            : OperatingSystem.IsWindows() ? WindowsMachine.Capture()
            : OperatingSystem.IsMacOS() ? MacOSMachine.Capture()
            : new MachineInfo();
        return info with
        {
            MachineId = Anonymous(info.MachineId),
            PhysicalCores = Machine.PhysicalCores.Count,
            LogicalCores = Environment.ProcessorCount,
        };
    }

    /// <summary>Memory in bytes that this process can still take without swapping: of the machine or, where one is set, of the container's
    /// limit, whichever is less.</summary>
    public static long? AvailableMemoryBytes() =>
        Ask(static () =>
            OperatingSystem.IsLinux() ? new LinuxMemory("/").AvailableBytes()
            : OperatingSystem.IsWindows() ? WindowsMachine.AvailableBytes()
            : OperatingSystem.IsMacOS() ? MacOSMachine.AvailableBytes()
            : null
        );

    /// <summary>The answer, or null where the system refuses one.</summary>
    internal static T? Ask<T>(Func<T?> question)
    {
        try
        {
            return question();
        }
#pragma warning disable CA1031 // Whatever goes wrong in one question to the system, the others are still asked.
        catch (Exception)
#pragma warning restore CA1031
        {
            return default;
        }
    }

    // The system's identifier itself is not to leave the machine; with a prefix of our own the hash matches nobody else's.
    internal static string? Anonymous(string? systemId) =>
        string.IsNullOrWhiteSpace(systemId)
            ? null
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes("Llama3Perf:" + systemId.Trim())))[..16];
}
