using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// What happens inside one launch, on its way from the benchmark to the engine that calls it. The engine makes one before the
/// benchmark's set-up, and the benchmark takes it there: BenchmarkDotNet creates both and lets them meet nowhere else, so
/// <see cref="Current"/> is static. One benchmark runs at a time in a process.
/// </summary>
internal sealed class LaunchRecorder
{
    private readonly Dictionary<string, double> _work = [];
    private GenerationResult? _result;
    private long? _gpuBytes;

    /// <summary>The launch that is being set up.</summary>
    public static LaunchRecorder Current { get; private set; } = new();

    /// <summary>The model that the launch runs on; null for benchmarks beside the main job.</summary>
    public LaunchStarted? Started { get; set; }

    /// <summary>Whether programs that this process started do the measured work.</summary>
    public bool MeasuresInChildren { get; set; }

    /// <summary>NVIDIA adapter to watch, as its driver numbers them; null for none.</summary>
    public int? GpuIndex { get; set; }

    /// <summary>Garbage collections during the last generation.</summary>
    public int Collections { get; private set; }

    /// <summary>Amounts of one operation, <c>tokens</c> or <c>bytes</c>; the suite shows them per second.</summary>
    public IReadOnlyDictionary<string, double> WorkPerOperation => _work;

    /// <summary>Highest GPU memory use seen in this launch, or null where the platform does not tell.</summary>
    public long? PeakGpuBytes { get; private set; }

    /// <summary>Begins a launch.</summary>
    public static LaunchRecorder Begin() => Current = new LaunchRecorder();

    /// <summary>One operation handles so much of something.</summary>
    public void Handles(string unit, double amount) => _work[unit] = amount;

    /// <summary>One generation is done.</summary>
    public void Measured(GenerationResult result, int collections)
    {
        _result = result;
        Collections = collections;
        SawGpuBytes(result.PeakGpuBytes);
    }

    /// <summary>GPU memory of this process after a generation.</summary>
    public void HoldsGpuBytes(long? bytes)
    {
        _gpuBytes = bytes;
        SawGpuBytes(bytes);
    }

    /// <summary>The generation since the last call, or null.</summary>
    public GenerationResult? TakeResult()
    {
        GenerationResult? result = _result;
        _result = null;
        return result;
    }

    /// <summary>GPU memory of this process after the generation since the last call, or null.</summary>
    public long? TakeGpuBytes()
    {
        long? bytes = _gpuBytes;
        _gpuBytes = null;
        return bytes;
    }

    private void SawGpuBytes(long? bytes)
    {
        if (bytes is { } seen)
        {
            PeakGpuBytes = Math.Max(PeakGpuBytes ?? 0, seen);
        }
    }
}
