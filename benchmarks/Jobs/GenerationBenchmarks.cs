using BenchmarkDotNet.Attributes;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Jobs;

/// <summary>The main job: one operation is one whole generation, prompt to last token, with a fresh KV cache.</summary>
public class GenerationBenchmarks
{
    private LaunchRecorder _launch = null!;
    private LoadedModel _model = null!;
    private int[] _prompt = [];

    [ParamsSource(nameof(Cases))]
    public PlannedCase Case { get; set; } = PlannedCase.None;

    /// <summary>The cases of the run; without a run one that stands for them, so that the benchmark can be listed.</summary>
    public static IEnumerable<PlannedCase> Cases => SuitePlan.Current.Generations.DefaultIfEmpty(PlannedCase.None);

    [GlobalSetup]
    public void Setup()
    {
        _launch = LaunchRecorder.Current;
        _prompt = [.. Case.PromptTokens];
        _model = LoadedModel.Get(Case);
        _launch.Started = _model.TakeStartedLine();
        _launch.MeasuresInChildren = Case.Peer is not null;
        _launch.GpuIndex = Case.EngineOptions.Provider == ExecutionProvider.Cpu ? null : Case.EngineOptions.DeviceIndex ?? 0;
    }

    [Benchmark]
    public int Generate()
    {
        int collections = GC.CollectionCount(0);
        GenerationResult result = _model.Generator.Generate(_prompt, Case.Key.MaxLength);
        collections = GC.CollectionCount(0) - collections;
        if (result.NewTokens.Length != Case.Key.MaxLength - _prompt.Length)
        {
            throw new InvalidOperationException($"{result.NewTokens.Length} new tokens instead of {Case.Key.MaxLength - _prompt.Length}");
        }

        _launch.Measured(result, collections);
        return result.NewTokens.Length;
    }

    [IterationCleanup]
    public void WatchGpuMemory()
    {
        if (_model.Generator is EngineGenerator && _model.Generator.Description.Provider != ExecutionProvider.Cpu)
        {
            _launch.HoldsGpuBytes(GpuMemory.CurrentBytesOfProcess());
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        if (!Case.KeepModelLoaded)
        {
            LoadedModel.Unload();
        }
    }
}
