using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32;

namespace Llama3Perf.Inference.Machine;

/// <summary>Looks at a Windows machine: its registry, its power status and DXGI.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class WindowsMachine
{
    private const string DisplayClass = @"SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}";
    private const string CurrentVersion = @"SOFTWARE\Microsoft\Windows NT\CurrentVersion";

    public static MachineInfo Capture() =>
        new()
        {
            MachineId = Value(@"SOFTWARE\Microsoft\Cryptography", "MachineGuid") as string,
            CpuName = (Value(@"HARDWARE\DESCRIPTION\System\CentralProcessor\0", "ProcessorNameString") as string)?.Trim(),
            RamBytes = MachineProbe.Ask(static () => Memory() is { } memory ? (long?)memory.TotalPhysical : null),
            OsBuild = WindowsParser.OsBuild(
                Value(CurrentVersion, "ProductName") as string,
                Value(CurrentVersion, "DisplayVersion") as string,
                Value(CurrentVersion, "CurrentBuildNumber") as string,
                Value(CurrentVersion, "UBR") as int?
            ),
            PowerSource = PowerSource(),
            Gpus = WindowsParser.WithDrivers(MachineProbe.Ask(Dxgi.Adapters) ?? [], MachineProbe.Ask(Drivers) ?? []),
        };

    /// <summary>Free physical memory in bytes.</summary>
    public static long? AvailableBytes() => Memory() is { } memory ? (long)memory.AvailablePhysical : null;

    /// <summary><c>ac</c> or <c>battery</c>.</summary>
    public static string? PowerLine() =>
        MachineProbe.Ask(static () =>
        {
            PowerStatus status;
            return GetSystemPowerStatus(&status) ? WindowsParser.PowerSource(status.LineStatus) : null;
        });

    private static string? PowerSource()
    {
        string? source = PowerLine();
        string? plan = WindowsParser.PowerPlan(SystemCommand.Output("powercfg", "/getactivescheme")) is { } name ? "plan " + name : null;
        return source is null || plan is null ? source ?? plan : $"{source}; {plan}";
    }

    private static object? Value(string key, string name) =>
        MachineProbe.Ask(() =>
        {
            using RegistryKey? opened = Registry.LocalMachine.OpenSubKey(key);
            return opened?.GetValue(name);
        });

    // Subkeys 0000, 0001 and so on are the adapters' drivers; the others are not readable by everyone.
    private static IReadOnlyList<DisplayDriver> Drivers()
    {
        using RegistryKey? adapters = Registry.LocalMachine.OpenSubKey(DisplayClass);
        return
        [
            .. (adapters?.GetSubKeyNames() ?? [])
                .Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                .Select(name => $@"{DisplayClass}\{name}")
                .Select(key => new DisplayDriver(
                    Value(key, "MatchingDeviceId") as string,
                    Value(key, "DriverVersion") as string,
                    Value(key, "DriverDate") as string
                )),
        ];
    }

    private static MemoryStatus? Memory()
    {
        MemoryStatus status = new() { Length = (uint)sizeof(MemoryStatus) };
        return GlobalMemoryStatusEx(&status) ? status : null;
    }

    [LibraryImport("kernel32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetSystemPowerStatus(PowerStatus* status);

    [LibraryImport("kernel32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GlobalMemoryStatusEx(MemoryStatus* status);

    // SYSTEM_POWER_STATUS
    [StructLayout(LayoutKind.Sequential)]
    private struct PowerStatus
    {
        public byte LineStatus;
        public byte BatteryFlag;
        public byte BatteryLifePercent;
        public byte SystemStatusFlag;
        public uint BatteryLifeTime;
        public uint BatteryFullLifeTime;
    }

    // MEMORYSTATUSEX
    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryStatus
    {
        public uint Length;
        public uint MemoryLoad;
        public ulong TotalPhysical;
        public ulong AvailablePhysical;
        public ulong TotalPageFile;
        public ulong AvailablePageFile;
        public ulong TotalVirtual;
        public ulong AvailableVirtual;
        public ulong AvailableExtendedVirtual;
    }
}
