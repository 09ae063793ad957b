using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using IEngine = Llama3Perf.Inference.IEngine;

namespace Llama3Perf.Benchmarks.Jobs;

/// <summary>Cold load: one operation loads a model into a fresh process. The column Peak RSS is that process's.</summary>
[Config(typeof(ColdLoad))]
public class ModelLoadBenchmarks
{
    private ModelFolder _folder = null!;
    private IEngine? _engine;

    [ParamsSource(nameof(Models))]
    public string Model { get; set; } = "";

    /// <summary>ONNX Runtime's rearranging of weights at load: faster inference for more memory.</summary>
    [Params("parallel", "serial", "off")]
    public string Prepacking { get; set; } = "";

    public static IEnumerable<string> Models => SuitePlan.Current.Models.DefaultIfEmpty("");

    [GlobalSetup]
    public void Setup() => _folder = ModelFolderReader.Open(Model);

    [Benchmark]
    public IEngine Load()
    {
        Dictionary<string, string> entries = Prepacking switch
        {
            "off" => new() { ["session.disable_prepacking"] = "1" },
            "serial" => new() { ["session.prepack.enable_parallel"] = "0" },
            _ => [],
        };
        _engine = EngineCatalog.Get("ort").Load(_folder, new EngineOptions { SessionEntries = entries });
        return _engine;
    }

    [IterationCleanup]
    public void Unload() => _engine?.Dispose();

    private sealed class ColdLoad : ManualConfig
    {
        public ColdLoad() =>
            AddJob(
                Job.Default.WithStrategy(RunStrategy.ColdStart)
                    .WithEngineFactory(new MeasuringEngineFactory())
                    .WithInvocationCount(1)
                    .WithUnrollFactor(1)
                    .WithLaunchCount(5)
                    .WithWarmupCount(0)
                    .WithIterationCount(1)
            );
    }
}
