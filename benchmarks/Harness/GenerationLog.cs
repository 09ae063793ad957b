using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Hands what a benchmark method measured to the engine that called it. Static, because BenchmarkDotNet gives the two no other
/// way to meet; one benchmark runs at a time in a process.
/// </summary>
internal static class GenerationLog
{
    private static LaunchStarted? s_started;
    private static GenerationResult? s_result;

    /// <summary>Highest GPU memory use seen in this launch, or null where the platform does not tell.</summary>
    public static long? PeakGpuBytes { get; set; }

    public static void Started(LaunchStarted started)
    {
        s_started = started;
        s_result = null;
        PeakGpuBytes = null;
    }

    public static void Measured(GenerationResult result) => s_result = result;

    public static LaunchStarted? TakeStarted() => Interlocked.Exchange(ref s_started, null);

    public static GenerationResult? TakeResult() => Interlocked.Exchange(ref s_result, null);
}
