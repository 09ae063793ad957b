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
    private LoadedModel _model = null!;
    private int[] _prompt = [];

    [ParamsSource(nameof(Models))]
    public string Model { get; set; } = "";

    [ParamsSource(nameof(Engines))]
    public string Engine { get; set; } = "";

    [ParamsSource(nameof(Providers))]
    public string Provider { get; set; } = "";

    [ParamsSource(nameof(Precisions))]
    public string Precision { get; set; } = "";

    [ParamsSource(nameof(Prompts))]
    public string Prompt { get; set; } = "";

    [ParamsSource(nameof(MaxLengths))]
    public int MaxLength { get; set; }

    public static IEnumerable<string> Models => Values(parameters => parameters.Model);

    public static IEnumerable<string> Engines => Values(parameters => parameters.Engine);

    public static IEnumerable<string> Providers => Values(parameters => parameters.Provider);

    public static IEnumerable<string> Precisions => Values(parameters => parameters.Precision);

    public static IEnumerable<string> Prompts => Values(parameters => parameters.Prompt);

    public static IEnumerable<int> MaxLengths => Values(parameters => parameters.MaxLength);

    [GlobalSetup]
    public void Setup()
    {
        CaseParameters parameters = new(Model, Engine, Provider, Precision, Prompt, MaxLength);
        PlannedCase planned = SuitePlan.Current.Find(parameters)
            ?? throw new InvalidOperationException($"{parameters} is not in the plan of this run");
        _prompt = [.. planned.PromptTokens];
        _model = LoadedModel.Get(planned);
        GenerationLog.Started(_model.TakeStartedLine());
    }

    [Benchmark]
    public int Generate()
    {
        GenerationResult result = _model.Generator.Generate(_prompt, MaxLength);
        if (result.NewTokens.Length != MaxLength - _prompt.Length)
        {
            throw new InvalidOperationException($"{result.NewTokens.Length} new tokens instead of {MaxLength - _prompt.Length}");
        }

        if (result.PeakGpuBytes is { } device)
        {
            GenerationLog.PeakGpuBytes = Math.Max(GenerationLog.PeakGpuBytes ?? 0, device);
        }

        GenerationLog.Measured(result);
        return result.NewTokens.Length;
    }

    [IterationCleanup]
    public void WatchGpuMemory()
    {
        if (_model.Generator is EngineGenerator && _model.Generator.Description.Provider != ExecutionProvider.Cpu && GpuMemory.CurrentBytesOfProcess() is { } bytes)
        {
            GenerationLog.PeakGpuBytes = Math.Max(GenerationLog.PeakGpuBytes ?? 0, bytes);
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        if (!SuitePlan.Current.KeepModelLoaded)
        {
            LoadedModel.Unload();
        }
    }

    // BenchmarkDotNet crosses these; the suite's filter keeps the combinations that are planned.
    // Without a plan there is one combination, so that the benchmark can be listed; none runs.
    private static IEnumerable<T> Values<T>(Func<CaseParameters, T> select) =>
        SuitePlan.Current.Runnable.Select(planned => planned.Parameters).DefaultIfEmpty(new CaseParameters("", "", "", "", "", 0)).Select(select).Distinct();
}
