namespace Llama3Perf.Inference.Machine;

/// <summary>Looks at a Linux machine through its file system, which tests set up under another <paramref name="root"/>.</summary>
internal sealed class LinuxMachine(string root)
{
    private readonly LinuxFiles _files = new(root);

    /// <summary>What the files tell, with the adapters that nvidia-smi printed.</summary>
    public MachineInfo Capture(string? nvidiaSmi) =>
        new()
        {
            MachineId = _files.Read("etc/machine-id") is { } id && id != "uninitialized" ? id : null,
            CpuName = _files.Read("proc/cpuinfo") is { } cpuinfo ? LinuxParser.CpuName(cpuinfo) : null,
            RamBytes = _files.Read("proc/meminfo") is { } meminfo ? LinuxParser.Kilobytes(meminfo, "MemTotal") : null,
            OsBuild = OsBuild(),
            PowerSource = PowerSource(),
            Gpus = MachineProbe.Ask(() => new LinuxGpus(_files).All(nvidiaSmi)) ?? [],
        };

    private string? OsBuild()
    {
        string? name = _files.Read("etc/os-release") is { } release ? LinuxParser.OsName(release) : null;
        string? kernel = _files.Read("proc/sys/kernel/osrelease") is { } version ? "Linux " + version : null;
        return name is null || kernel is null ? name ?? kernel : $"{name}; {kernel}";
    }

    /// <summary>Power source and plan as they are now.</summary>
    public string? PowerSource()
    {
        string? source = LinuxParser.PowerSource(
            _files
                .Folders("sys/class/power_supply")
                .Select(supply => new PowerSupply(
                    _files.Read($"{supply}/type"),
                    _files.Read($"{supply}/scope"),
                    _files.Read($"{supply}/online"),
                    _files.Read($"{supply}/status")
                ))
        );
        string? plan = _files.Read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") is { } governor ? "plan " + governor : null;
        return source is null || plan is null ? source ?? plan : $"{source}; {plan}";
    }
}
