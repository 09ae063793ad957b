namespace Llama3Perf.Inference.Machine;

/// <summary>Looks at a Mac through the tools that come with the system.</summary>
internal static class MacOSMachine
{
    public static MachineInfo Capture() =>
        new()
        {
            MachineId = MacOSParser.PlatformId(SystemCommand.Output("ioreg", "-rd1", "-c", "IOPlatformExpertDevice")),
            CpuName = SystemCommand.Output("sysctl", "-n", "machdep.cpu.brand_string")?.Trim() is { Length: > 0 } name ? name : null,
            RamBytes = LinuxParser.Bytes(SystemCommand.Output("sysctl", "-n", "hw.memsize")),
            OsBuild = MacOSParser.OsBuild(SystemCommand.Output("sw_vers")),
            PowerSource = MacOSParser.PowerSource(SystemCommand.Output("pmset", "-g", "batt"), SystemCommand.Output("pmset", "-g")),
            Gpus = MacOSParser.Gpus(SystemCommand.Output("system_profiler", "SPDisplaysDataType", "-json")),
        };

    /// <summary>Memory in bytes that can be taken without swapping.</summary>
    public static long? AvailableBytes() => MacOSParser.AvailableBytes(SystemCommand.Output("vm_stat"));
}
