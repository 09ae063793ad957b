using System.Globalization;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Conditions;

/// <summary>Reads a Linux machine's counters through its file system, which tests set up under another <paramref name="root"/>.</summary>
/// <param name="root">Where proc and sys lie.</param>
/// <param name="processId">The process that measures.</param>
/// <param name="withChildren">Whether running children count as its own: the programs of external engines.</param>
internal sealed class LinuxCounters(string root, int processId, bool withChildren)
{
    private const string Processors = "sys/devices/system/cpu";

    // Sensors of processors, as their drivers call themselves.
    private static readonly string[] s_sensors =
    [
        "coretemp",
        "k10temp",
        "zenpower",
        "cpu_thermal",
        "cpu-thermal",
        "x86_pkg_temp",
        "cpu0_thermal",
    ];

    private readonly LinuxFiles _files = new(root);
    private readonly HashSet<int>? _allowed = MachineProbe.Ask(() =>
        new LinuxFiles(root).Read("proc/self/status") is { } status && LinuxParser.Value(status, "Cpus_allowed_list", ':') is { } list
            ? PhysicalCores.ParseList(list).ToHashSet()
            : null
    );

    private string[]? _temperatures;

    /// <summary>A reading at these clocks.</summary>
    public MachineReading Read(double monotonicMs, double wallMs, double ownCpuMs)
    {
        ProcessCounters? own = LinuxCounterParser.Process(_files.Read($"proc/{processId}/stat"));
        return new MachineReading
        {
            MonotonicMs = monotonicMs,
            WallMs = wallMs,
            AwakeMs = monotonicMs,
            BootMs = LinuxCounterParser.UptimeMs(_files.Read("proc/uptime")),
            Processors = _files.Read("proc/stat") is { } stat ? LinuxCounterParser.Processors(stat, _allowed) : null,
            OwnCpuMs = ownCpuMs + (own?.EndedChildrenMs ?? 0) + (withChildren ? ChildrenMs() : 0),
            CpuPressureMs = LinuxCounterParser.PressureMs(_files.Read("proc/pressure/cpu")),
            MemoryPressureMs = LinuxCounterParser.PressureMs(_files.Read("proc/pressure/memory")),
            MajorFaults = own?.MajorFaults,
            CpuClockPercent = Folders().Max(ClockPercent),
            ThrottleCount = Throttled(),
            CpuCelsius = (_temperatures ??= Temperatures()).Max(file => Number(file) / 1000),
            Power = new LinuxMachine(root).PowerSource(),
        };
    }

    private IEnumerable<string> Folders() =>
        (_allowed ?? [0]).Select(number => $"{Processors}/cpu{number.ToString(CultureInfo.InvariantCulture)}");

    private double? ClockPercent(string folder) =>
        Number($"{folder}/cpufreq/scaling_cur_freq") / (Number($"{folder}/cpufreq/cpuinfo_max_freq") is > 0 and var max ? max : null) * 100;

    // Each core counts its own; the package's count is the same in all of its cores.
    private long? Throttled()
    {
        double?[] cores = [.. Folders().Select(folder => Number($"{folder}/thermal_throttle/core_throttle_count"))];
        double? package = Folders().Max(folder => Number($"{folder}/thermal_throttle/package_throttle_count"));
        return cores.All(core => core is null) && package is null ? null : (long)(cores.Sum(core => core ?? 0) + (package ?? 0));
    }

    // Looked for once: there are some dozen folders. Without a sensor of a processor's, every thermal zone counts.
    private string[] Temperatures()
    {
        (string File, string? Name)[] sensors =
        [
            .. _files
                .Folders("sys/class/hwmon")
                .SelectMany(folder => Enumerable.Range(1, 16).Select(i => ($"{folder}/temp{i}_input", _files.Read($"{folder}/name")))),
            .. _files.Folders("sys/class/thermal").Select(folder => ($"{folder}/temp", _files.Read($"{folder}/type"))),
        ];
        sensors = [.. sensors.Where(sensor => Number(sensor.File) is not null)];
        string[] processors = [.. sensors.Where(sensor => s_sensors.Contains(sensor.Name)).Select(sensor => sensor.File)];
        return processors.Length > 0
            ? processors
            :
            [
                .. sensors
                    .Where(sensor => sensor.File.StartsWith("sys/class/thermal", StringComparison.Ordinal))
                    .Select(sensor => sensor.File),
            ];
    }

    /// <summary>Processor time of all living descendants.</summary>
    private double ChildrenMs()
    {
        Dictionary<int, ProcessCounters> all = [];
        foreach (string folder in _files.Folders("proc"))
        {
            if (
                int.TryParse(folder["proc/".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                && LinuxCounterParser.Process(_files.Read($"{folder}/stat")) is { } counters
            )
            {
                all[id] = counters;
            }
        }

        return Below(processId);

        double Below(int parent) =>
            all.Where(process => process.Value.ParentId == parent && process.Key != parent)
                .Sum(child => child.Value.CpuMs + child.Value.EndedChildrenMs + Below(child.Key));
    }

    private double? Number(string file) =>
        double.TryParse(_files.Read(file), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out double number) ? number : null;
}
