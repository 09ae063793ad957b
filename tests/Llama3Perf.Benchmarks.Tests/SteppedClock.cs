namespace Llama3Perf.Benchmarks.Tests;

/// <summary>A clock that moves when a test says so.</summary>
internal sealed class SteppedClock : TimeProvider
{
    public TimeSpan Now { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>What passes between one look at the clock and the next, on a busy machine.</summary>
    public TimeSpan Lag { get; set; }

    public override long GetTimestamp()
    {
        Now += Lag;
        return Now.Ticks;
    }
}
