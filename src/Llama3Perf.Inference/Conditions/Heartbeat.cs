using System.Diagnostics;

namespace Llama3Perf.Inference.Conditions;

/// <summary>
/// A thread that sleeps and looks how late it woke: it finds out that the process was stopped, which no clock inside can. Some twenty
/// wake-ups a second cost a few microseconds each.
/// </summary>
internal sealed class Heartbeat : IDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(50);

    private readonly GapCounter _gaps = new(s_period.TotalMilliseconds, NowMs(), OwnCpuMs());
    private readonly Lock _lock = new();
    private volatile bool _ended;

    public Heartbeat()
    {
        Thread thread = new(Run) { IsBackground = true, Name = nameof(Heartbeat) };
        thread.Start();
    }

    /// <summary>How long the process stood still so far, ms.</summary>
    public double StoppedMs()
    {
        lock (_lock)
        {
            _gaps.Beat(NowMs(), OwnCpuMs());
            return _gaps.StoppedMs;
        }
    }

    /// <summary><see cref="Stopwatch.GetTimestamp"/> in ms.</summary>
    public static double NowMs() => Stopwatch.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Processor time of this process, ms.</summary>
    public static double OwnCpuMs() => Environment.CpuUsage.TotalTime.TotalMilliseconds;

    public void Dispose() => _ended = true;

    private void Run()
    {
        while (!_ended)
        {
            Thread.Sleep(s_period);
            _ = StoppedMs();
        }
    }
}

/// <summary>Sums the gaps between beats in which a process did nothing at all.</summary>
/// <param name="periodMs">How far beats are apart.</param>
/// <param name="nowMs">When counting begins.</param>
/// <param name="cpuMs">Processor time of the process then.</param>
internal sealed class GapCounter(double periodMs, double nowMs, double cpuMs)
{
    // A busy machine wakes a sleeper tens of milliseconds late, and the process takes processor time meanwhile.
    private const double LeastGapMs = 250;
    private const double MostCpuShare = 0.1;

    private double _lastMs = nowMs;
    private double _lastCpuMs = cpuMs;
    private double _mostProcessors;

    /// <summary>Sum of the gaps.</summary>
    public double StoppedMs { get; private set; }

    /// <summary>The process is alive at this moment, and has taken so much processor time.</summary>
    public void Beat(double nowMs, double cpuMs)
    {
        double gap = nowMs - _lastMs - periodMs;
        double cpu = cpuMs - _lastCpuMs;
        if (gap > LeastGapMs)
        {
            // Until it was stopped, at most two periods, it may have used every processor that it was seen to use.
            StoppedMs += cpu < (gap * MostCpuShare) + (_mostProcessors * 2 * periodMs) ? gap : 0;
        }
        else if (nowMs - _lastMs > periodMs / 2)
        {
            _mostProcessors = Math.Max(_mostProcessors, cpu / (nowMs - _lastMs));
        }

        (_lastMs, _lastCpuMs) = (nowMs, cpuMs);
    }
}
