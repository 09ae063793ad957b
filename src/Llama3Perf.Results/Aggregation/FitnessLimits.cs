namespace Llama3Perf.Results.Aggregation;

/// <summary>From where on something counts as a disturbance. The same for every machine, and no option: who may choose it chooses the
/// verdict.</summary>
internal static class FitnessLimits
{
    /// <summary>Processor time of others and of the hypervisor, percent of all. Two threads on two busy cores lose as much, one on sixteen
    /// less.</summary>
    public const double ForeignPercent = 5;

    /// <summary>Steps in which systems count the time of processors, ms.</summary>
    public const double TickMs = 10;

    /// <summary>Time spent waiting for memory, percent.</summary>
    public const double MemoryPressurePercent = 5;

    /// <summary>Decode rate of the last third of the iterations against the first, percent either way.</summary>
    public const double DriftPercent = 5;

    /// <summary>Fall of the processor's or adapter's clock from the first third of the iterations to the last, percent.</summary>
    public const double ClockFallPercent = 10;

    /// <summary>99th percentile of the time between tokens against their median: beyond it some tokens stall.</summary>
    public const double StallRatio = 3;

    /// <summary>What a stall takes at least beyond the median, ms: a token that stalls waits for a time slice of the scheduler, which is
    /// milliseconds. Beside the 0.1 ms of a tiny model's tokens an interrupt is enough for three times the median.</summary>
    public const double StallMs = 1;

    /// <summary>The least distance of two modes of the decode rate, percent.</summary>
    public const double ModeDistancePercent = 5;

    /// <summary>Reasons by which a driver says that heat or a fault holds its adapter back. A power cap under full load is how adapters
    /// work.</summary>
    public static IReadOnlyList<string> GpuFaults { get; } = ["thermal", "hw-thermal", "hw-slowdown", "hw-power-brake"];
}
