using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Benchmarks.Jobs;

/// <summary>
/// Converting a bf16 checkpoint, in bytes of it per second: quantizing alone in memory, a whole conversion, the GGUF file of the same
/// numbers made of that, and plainly reading the checkpoint (the baseline that a conversion bound by the disk comes close to).
/// </summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 1, iterationCount: 5, invocationCount: 1)]
public class ConversionBenchmarks
{
    private const ulong Seed = 1;
    private const int BlockSize = 32;
    private const int RowsPerTask = 256;

    private readonly ModelStore _store = new(Workspace.Models);

    private string _checkpoint = "";
    private string _folder = "";
    private ModelFolder _converted = null!;
    private long _bytes;
    private int _width;
    private byte[] _rows = [];

    [Params("llama-3.2-1b")]
    public string Shape { get; set; } = "";

    [GlobalSetup(Targets = [nameof(QuantizeInMemory), nameof(PlainSequentialRead), nameof(WholeConversion)])]
    public void Setup()
    {
        var shape = LlamaShape.Load(Shape);
        _checkpoint = Path.Combine(Workspace.Models, $"checkpoint-{Shape}-bf16");
        _folder = Path.Combine(Workspace.Models, $".conversion-benchmark-{Environment.ProcessId}");
        if (!Checkpoint.IsCheckpoint(_checkpoint))
        {
            SyntheticCheckpoint.Write(shape, _checkpoint, CheckpointType.BFloat16, long.MaxValue, Seed, Environment.ProcessorCount);
        }

        var checkpoint = Checkpoint.Open(_checkpoint);
        _bytes = checkpoint.Tensors.Values.Sum(tensor => tensor.Length);
        LaunchRecorder.Current.Handles("bytes", _bytes);
        _width = shape.HiddenSize;

        // Real bytes, more than the caches hold.
        CheckpointTensor tensor = checkpoint.Tensors["model.embed_tokens.weight"];
        _rows = new byte[Math.Min(tensor.Length, 1 << 28) / (_width * 2 * RowsPerTask) * (_width * 2 * RowsPerTask)];
        using FileStream file = File.OpenRead(tensor.File);
        file.Position = tensor.Offset;
        file.ReadExactly(_rows);
    }

    /// <summary>What the GGUF file is made of.</summary>
    [GlobalSetup(Target = nameof(GgufOfTheConversion))]
    public void SetupGguf()
    {
        Setup();
        _converted = _store.GetOrBuild(new ModelBuildOptions { Model = _checkpoint, BlockSize = BlockSize });
    }

    [Benchmark]
    public void QuantizeInMemory()
    {
        int taskBytes = RowsPerTask * _width * 2;
        Parallel.For(
            0L,
            _bytes / taskBytes,
            () => new float[_width],
            (task, _, row) =>
            {
                int start = (int)(task % (_rows.Length / taskBytes)) * taskBytes;
                Quantize(_rows.AsSpan(start, taskBytes), row);
                return row;
            },
            _ => { }
        );
    }

    [Benchmark(Baseline = true)]
    public void PlainSequentialRead()
    {
        byte[] buffer = new byte[1 << 22];
        foreach (string path in Checkpoint.Open(_checkpoint).WeightFiles)
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            while (file.Read(buffer) > 0)
            {
                // Only read.
            }
        }
    }

    [Benchmark]
    public ModelFolder WholeConversion() =>
        ModelBuilder.Build(new ModelBuildOptions { Model = _checkpoint, BlockSize = BlockSize }, _folder);

    [Benchmark]
    public ModelFolder GgufOfTheConversion() => _store.ConvertToGguf(_converted, _folder);

    [IterationCleanup]
    public void Remove()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private void Quantize(ReadOnlySpan<byte> rows, float[] row)
    {
        var quantizer = new BlockQuantizer(bits: 4, BlockSize, symmetric: true, halfScales: false);
        Span<byte> packed = new byte[_width / 2];
        Span<float> scales = new float[_width / BlockSize];
        for (int start = 0; start < rows.Length; start += _width * 2)
        {
            SourceRow.Widen(rows.Slice(start, _width * 2), CheckpointType.BFloat16, row);
            quantizer.Quantize(row, packed, scales, []);
        }
    }
}
