namespace Llama3Perf.Inference.Machine;

/// <summary>Graphics memory of this process.</summary>
public static class GpuMemory
{
    /// <summary>Bytes that this process holds now on all adapters together; null where the platform does not tell. Starts a process on
    /// Linux: ask it between measurements.</summary>
    public static long? CurrentBytesOfProcess() =>
        MachineProbe.Ask(static () =>
            OperatingSystem.IsLinux() ? NvidiaSmiParser.ParseProcessBytes(NvidiaSmi.Processes(), Environment.ProcessId)
            : OperatingSystem.IsWindows() ? Dxgi.CurrentUsage()
            : null
        );
}
