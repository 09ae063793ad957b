using System.Diagnostics;

namespace Llama3Perf.Inference.Conditions;

/// <summary>Counters and levels of a machine at one moment. Two of them make <see cref="MachineConditions"/>; what the platform does not
/// tell is null.</summary>
internal sealed record MachineReading
{
    // Clocks are read one after the other, and Linux counts its uptime in hundredths.
    private const double ClockNoiseMs = 50;

    /// <summary><see cref="Stopwatch.GetTimestamp"/>, ms.</summary>
    public required double MonotonicMs { get; init; }

    /// <summary>Wall clock, ms since any fixed moment.</summary>
    public required double WallMs { get; init; }

    /// <summary>Time since the start with the time asleep, ms.</summary>
    public double? BootMs { get; init; }

    /// <summary>Time since the start without the time asleep, ms.</summary>
    public double? AwakeMs { get; init; }

    /// <summary>Times of the processors that this process may use.</summary>
    public ProcessorTimes? Processors { get; init; }

    /// <summary>Processor time of this process and of the programs that measure for it, ms.</summary>
    public double? OwnCpuMs { get; init; }

    /// <summary>Time that some thread of the machine waited for a processor, ms.</summary>
    public double? CpuPressureMs { get; init; }

    /// <summary>Time that some thread of the machine waited for memory, ms.</summary>
    public double? MemoryPressureMs { get; init; }

    /// <summary>Major faults of this process.</summary>
    public long? MajorFaults { get; init; }

    /// <inheritdoc cref="MachineConditions.CpuClockPercent"/>
    public double? CpuClockPercent { get; init; }

    /// <summary>Throttle events since the start.</summary>
    public long? ThrottleCount { get; init; }

    /// <inheritdoc cref="MachineConditions.CpuCelsius"/>
    public double? CpuCelsius { get; init; }

    /// <inheritdoc cref="MachineConditions.Power"/>
    public string? Power { get; init; }

    /// <summary>The adapter that is watched.</summary>
    public GpuConditions? Gpu { get; init; }

    /// <summary>What happened since an earlier reading.</summary>
    /// <param name="before">The earlier reading.</param>
    /// <param name="stoppedMs">What the heartbeat missed in between.</param>
    public MachineConditions Since(MachineReading before, double? stoppedMs)
    {
        double watched = MonotonicMs - before.MonotonicMs;
        return new MachineConditions
        {
            WatchedMs = watched,
            ForeignCpuPercent = Foreign(before),
            StealPercent = Share(Processors?.StealMs - before.Processors?.StealMs, Processors?.TotalMs - before.Processors?.TotalMs),
            CpuPressurePercent = Share(CpuPressureMs - before.CpuPressureMs, watched),
            MemoryPressurePercent = Share(MemoryPressureMs - before.MemoryPressureMs, watched),
            MajorFaults = Increase(MajorFaults, before.MajorFaults),
            CpuClockPercent = CpuClockPercent,
            ThrottleCount = Increase(ThrottleCount, before.ThrottleCount),
            CpuCelsius = CpuCelsius,
            Power = Power,
            StoppedMs = stoppedMs,
            SuspendedMs = BeyondNoise(BootMs - before.BootMs - (AwakeMs - before.AwakeMs)),
            ClockSetMs = BeyondNoise(WallMs - before.WallMs - (BootMs - before.BootMs)),
            Gpu = Gpu,
        };
    }

    private double? Foreign(MachineReading before)
    {
        double? busy = Processors?.BusyMs - before.Processors?.BusyMs;
        return Share(busy - (OwnCpuMs - before.OwnCpuMs), Processors?.TotalMs - before.Processors?.TotalMs);
    }

    // Counters step in ticks of 10 ms: own time can come out above all time. What one reading has too little the next has too much, so
    // that the share stays as it is, below 0 too.
    private static double? Share(double? part, double? whole) =>
        part is { } of && whole is > 0 ? Math.Clamp(of / whole.Value * 100, -100, 100) : null;

    private static long? Increase(long? after, long? before) => after - before is { } more ? Math.Max(0, more) : null;

    private static double? BeyondNoise(double? ms) =>
        ms is { } value
            ? Math.Abs(value) < ClockNoiseMs
                ? 0
                : value
            : null;
}

/// <summary>Times of processors since the start, ms, summed over all of them.</summary>
/// <param name="BusyMs">In programs and in the kernel.</param>
/// <param name="StealMs">Taken by the hypervisor.</param>
/// <param name="TotalMs">All time, idle too.</param>
/// <param name="Count">How many processors.</param>
internal sealed record ProcessorTimes(double BusyMs, double? StealMs, double TotalMs, int Count);
