using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Benchmarks.Jobs;

/// <summary>
/// Making a model folder against the machine's limits, in one run: filling weights in memory, a whole build, and a plain
/// sequential write of as many bytes (the baseline that a build bound by the disk comes close to).
/// </summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 1, iterationCount: 5, invocationCount: 1)]
public class ModelBuildBenchmarks
{
    private const int FillBytes = 1 << 28;

    private readonly byte[] _memory = GC.AllocateUninitializedArray<byte>(FillBytes);
    private string _folder = "";
    private long _bytes;

    [Params("llama-3.2-1b")]
    public string Shape { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        _bytes = ModelBuilder.WeightBytes(Options);
        LaunchRecorder.Current.Handles("bytes", _bytes);
        Directory.CreateDirectory(Workspace.Models);
        _folder = Path.Combine(Workspace.Models, $".build-benchmark-{Environment.ProcessId}");
    }

    [Benchmark]
    public void FillInMemory()
    {
        for (long done = 0; done < _bytes; done += FillBytes)
        {
            Parallel.For(
                0,
                FillBytes / SyntheticWeights.ChunkBytes,
                chunk =>
                    SyntheticWeights.Fill(
                        _memory.AsSpan(chunk * SyntheticWeights.ChunkBytes, SyntheticWeights.ChunkBytes),
                        WeightPattern.Int4,
                        (ulong)(done + chunk)
                    )
            );
        }
    }

    [Benchmark(Baseline = true)]
    public void PlainSequentialWrite()
    {
        using FileStream file = new(_folder, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.SequentialScan);
        for (long done = 0; done < _bytes; done += 1 << 22)
        {
            file.Write(_memory, 0, (int)Math.Min(1 << 22, _bytes - done));
        }
    }

    [Benchmark]
    public ModelFolder WholeBuild() => ModelBuilder.Build(Options, _folder, progress: null, CancellationToken.None);

    [IterationCleanup]
    public void Remove()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }

        File.Delete(_folder);
    }

    private ModelBuildOptions Options => new() { Model = Shape };
}
