namespace Llama3Perf.Inference.Conditions;

/// <summary>What a machine did beside a measurement while that ran. What the platform does not tell is null, never 0.</summary>
public sealed record MachineConditions
{
    /// <summary>How long was watched, ms.</summary>
    public double WatchedMs { get; init; }

    /// <summary>Time of the processors that this process may use, taken by other processes and by the kernel for them; percent of all of
    /// it. Of a short time it can come out below 0: processors count in ticks of 10 ms.</summary>
    public double? ForeignCpuPercent { get; init; }

    /// <summary>Time of those processors that the hypervisor gave to other machines; percent of all of it.</summary>
    public double? StealPercent { get; init; }

    /// <summary>Share of the time in which some thread of the machine waited for a processor (Linux PSI), percent. A measurement with more
    /// threads than processors waits for itself.</summary>
    public double? CpuPressurePercent { get; init; }

    /// <summary>Share of the time in which some thread waited for memory (Linux PSI), percent.</summary>
    public double? MemoryPressurePercent { get; init; }

    /// <summary>Page faults of this process that had to be read from a disk.</summary>
    public long? MajorFaults { get; init; }

    /// <summary>Clock of the fastest processor at the end, percent of its maximum.</summary>
    public double? CpuClockPercent { get; init; }

    /// <summary>How often a processor was slowed because of its temperature or power.</summary>
    public long? ThrottleCount { get; init; }

    /// <summary>The processor's temperature at the end, °C.</summary>
    public double? CpuCelsius { get; init; }

    /// <summary>Power source and plan at the end, as <see cref="Machine.MachineInfo.PowerSource"/> writes them.</summary>
    public string? Power { get; init; }

    /// <summary>How long this process stood still (SIGSTOP, a frozen container, a debugger): it neither woke when it should nor took
    /// processor time, ms.</summary>
    public double? StoppedMs { get; init; }

    /// <summary>How long the machine slept, ms.</summary>
    public double? SuspendedMs { get; init; }

    /// <summary>How far the wall clock moved against the machine's own, ms: somebody set it.</summary>
    public double? ClockSetMs { get; init; }

    /// <summary>The graphics adapter, where one was watched.</summary>
    public GpuConditions? Gpu { get; init; }
}

/// <summary>An adapter at the end of what was watched. What its driver does not tell is null.</summary>
public sealed record GpuConditions
{
    /// <summary>Clock of its processors, percent of the maximum.</summary>
    public double? ClockPercent { get; init; }

    /// <summary>Why its clock is held down, as NVML names it, joined by <c>+</c>; empty for no reason. Idleness is none.</summary>
    public string? ThrottleReasons { get; init; }

    /// <summary>Temperature, °C.</summary>
    public double? Celsius { get; init; }

    /// <summary>Power that it draws, W.</summary>
    public double? Watts { get; init; }

    /// <summary>Utilisation of its processors by other processes, percent.</summary>
    public double? ForeignPercent { get; init; }
}
