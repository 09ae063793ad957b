using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Conditions;

/// <summary>
/// Watches the machine around a measurement: counters before and after, nothing but a sleeping thread in between. It never throws; what
/// cannot be read is unknown.
/// </summary>
public sealed class ConditionsWatch : IDisposable
{
    private readonly Heartbeat _heartbeat = new();
    private readonly Nvml? _nvml;
    private readonly LinuxCounters? _linux;
    private MachineReading? _before;
    private double _stoppedBefore;

    /// <param name="withChildren">Whether running children measure too, and their processor time is no foreign load: external
    /// engines.</param>
    /// <param name="gpuIndex">NVIDIA adapter to watch, as its driver numbers them; null for none.</param>
    public ConditionsWatch(bool withChildren = false, int? gpuIndex = null)
    {
        _linux = OperatingSystem.IsLinux() ? new LinuxCounters("/", Environment.ProcessId, withChildren) : null;
        _nvml = gpuIndex is { } index ? MachineProbe.Ask(() => Nvml.Open(index)) : null;
    }

    /// <summary>Processors that this process may use and whose times are known; null where they are not.</summary>
    public int? ProcessorCount => _before?.Processors?.Count;

    /// <summary>The measurement begins.</summary>
    public void Begin()
    {
        _stoppedBefore = _heartbeat.StoppedMs();
        _before = Read();
    }

    /// <summary>The measurement is over: what happened since <see cref="Begin"/>.</summary>
    public MachineConditions End()
    {
        MachineReading after = Read();
        double stopped = _heartbeat.StoppedMs() - _stoppedBefore;
        return after.Since(_before ?? after, stopped);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _heartbeat.Dispose();
        _nvml?.Dispose();
    }

    private MachineReading Read()
    {
        double now = Heartbeat.NowMs();
        double wall = (DateTime.UtcNow - DateTime.UnixEpoch).TotalMilliseconds;
        double own = Heartbeat.OwnCpuMs();
        MachineReading? reading = MachineProbe.Ask(() =>
            _linux?.Read(now, wall, own)
            ?? (
                OperatingSystem.IsWindows() ? WindowsCounters.Read(now, wall, own)
                : OperatingSystem.IsMacOS() ? MacOSCounters.Read(now, wall, own)
                : null
            )
        );
        return (reading ?? new MachineReading { MonotonicMs = now, WallMs = wall }) with { Gpu = MachineProbe.Ask(() => _nvml?.Read()) };
    }
}
