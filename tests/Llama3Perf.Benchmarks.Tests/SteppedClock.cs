namespace Llama3Perf.Benchmarks.Tests;

/// <summary>A clock that moves when a test says so.</summary>
internal sealed class SteppedClock : TimeProvider
{
    public TimeSpan Now { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Now.Ticks;
}
