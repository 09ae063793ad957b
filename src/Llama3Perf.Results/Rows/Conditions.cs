namespace Llama3Perf.Results.Rows;

/// <summary>
/// What the machine did beside a measurement: of one iteration in samples.csv, of all iterations of a case in results.csv. What the
/// platform does not tell is null.
/// </summary>
public sealed record Conditions
{
    /// <summary>Nothing is known.</summary>
    public static Conditions Unknown { get; } = new();

    /// <summary>How long was watched, ms: the iteration and what surrounds it in the process.</summary>
    public double? WatchedMs { get; init; }

    /// <summary>Processor time that other processes took, percent of the processors that the measuring process may use. Of a short
    /// iteration it can come out below 0: processors count in ticks of 10 ms.</summary>
    public double? ForeignCpuPercent { get; init; }

    /// <summary>Processor time that the hypervisor gave to other machines, percent.</summary>
    public double? StealPercent { get; init; }

    /// <summary>Share of the time in which some thread waited for a processor (Linux PSI), percent.</summary>
    public double? CpuPressurePercent { get; init; }

    /// <summary>Share of the time in which some thread waited for memory (Linux PSI), percent.</summary>
    public double? MemoryPressurePercent { get; init; }

    /// <summary>Page faults of the measuring process that had to be read from a disk.</summary>
    public long? MajorFaults { get; init; }

    /// <summary>Clock of the fastest processor, percent of its maximum; on Windows of its nominal clock.</summary>
    public double? CpuClockPercent { get; init; }

    /// <summary>How often a processor was slowed because of its temperature or power.</summary>
    public long? ThrottleCount { get; init; }

    /// <summary>The processor's temperature, °C.</summary>
    public double? CpuCelsius { get; init; }

    /// <summary>Power source and plan.</summary>
    public string? Power { get; init; }

    /// <summary>How long the process stood still, ms.</summary>
    public double? StoppedMs { get; init; }

    /// <summary>How long the machine slept, ms.</summary>
    public double? SuspendedMs { get; init; }

    /// <summary>How far the wall clock was set, ms.</summary>
    public double? ClockSetMs { get; init; }

    /// <summary>Clock of the adapter's processors, percent of the maximum.</summary>
    public double? GpuClockPercent { get; init; }

    /// <summary>Why the adapter's clock was held down, joined by <c>+</c>.</summary>
    public string? GpuThrottle { get; init; }

    /// <summary>The adapter's temperature, °C.</summary>
    public double? GpuCelsius { get; init; }

    /// <summary>Power that the adapter drew, W.</summary>
    public double? GpuWatts { get; init; }

    /// <summary>Utilisation of the adapter by other processes, percent.</summary>
    public double? GpuForeignPercent { get; init; }
}

/// <summary>Whether the machine let a case be measured.</summary>
public enum Steadiness
{
    /// <summary>Nothing that is known disturbed it.</summary>
    Steady,

    /// <summary>Something did: the figures are no basis for a verdict of pass.</summary>
    Unsteady,
}

/// <summary>The verdict on the machine for one case.</summary>
/// <param name="Verdict">Steady or not; null where nothing was measured.</param>
/// <param name="Reasons">What disturbed the case, most important first; null for a steady one.</param>
public sealed record Fitness(Steadiness? Verdict, string? Reasons)
{
    /// <summary>Nothing was measured.</summary>
    public static Fitness Unknown { get; } = new(null, null);
}
