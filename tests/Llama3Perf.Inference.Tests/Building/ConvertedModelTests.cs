using System.Globalization;
using System.Text.Json;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Tests.Engines.Ort;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Inference.Tests.Building;

/// <summary>Converted checkpoints on ONNX Runtime: against a plain forward pass over the checkpoint, against transformers, against
/// Microsoft's builder.</summary>
public sealed class ConvertedModelTests : IDisposable
{
    private static readonly LlamaShape s_small = LlamaShape.Load("llama-tiny");

    private readonly string _folder = Directory.CreateTempSubdirectory("converted").FullName;

    public static TheoryData<string> Shapes => [.. Variants.Keys];

    private static Dictionary<string, LlamaShape> Variants { get; } =
        new()
        {
            ["tied"] = s_small with { TieEmbeddings = true },
            ["untied"] = s_small with { TieEmbeddings = false },
            ["biases"] = s_small with { TieEmbeddings = false, AttentionBias = true, MlpBias = true },
            ["attention biases, tied"] = s_small with { TieEmbeddings = true, AttentionBias = true },
            ["head size 48, three heads for one"] = s_small with { HeadSize = 48, HeadCount = 3, KeyValueHeadCount = 1 },
            ["head size 80, as many keys as queries"] = s_small with { HeadSize = 80, HeadCount = 2, KeyValueHeadCount = 2 },
            ["llama3 rope scaling"] = s_small with { RopeScaling = new RopeScaling(8, 1, 4, 64), RopeTheta = 500_000 },
            ["plain rope of Llama 2"] = s_small with { RopeScaling = null, RopeTheta = 10_000, KeyValueHeadCount = s_small.HeadCount },
        };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Fp32_follows_a_plain_forward_pass_over_the_checkpoint(string shape)
    {
        string checkpoint = Write(Variants[shape], CheckpointType.BFloat16, shardBytes: 200_000);
        ModelFolder folder = Build(checkpoint, Precision.Fp32);

        using OrtEngine engine = Load(folder);
        PlainPass.AssertFollowed(engine, folder, new CheckpointValues(checkpoint), steps: 3, PlainPass.Tolerance(Precision.Fp32));
        Assert.True(folder.IsSynthetic);
    }

    [Theory]
    [InlineData(CheckpointType.Float16)]
    [InlineData(CheckpointType.Float32)]
    public void Other_types_of_weights_are_read(CheckpointType type)
    {
        string checkpoint = Write(Variants["biases"], type, shardBytes: long.MaxValue);
        ModelFolder folder = Build(checkpoint, Precision.Fp32);

        using OrtEngine engine = Load(folder);
        PlainPass.AssertFollowed(engine, folder, new CheckpointValues(checkpoint), steps: 2, PlainPass.Tolerance(Precision.Fp32));
    }

    [Theory]
    [InlineData(Precision.Int8, true, 32)]
    [InlineData(Precision.Int8, false, 64)]
    [InlineData(Precision.Fp16, true, 32)]
    public void Narrower_weights_stay_near_the_checkpoint(Precision precision, bool symmetric, int blockSize)
    {
        string checkpoint = Write(Variants["tied"], CheckpointType.BFloat16, shardBytes: 500_000);
        ModelFolder folder = Build(checkpoint, precision, symmetric, blockSize);

        using OrtEngine engine = Load(folder);
        PlainPass.AssertFollowed(engine, folder, new CheckpointValues(checkpoint), steps: 1, PlainPass.Tolerance(precision));
    }

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Fp32_gives_the_logits_and_tokens_of_transformers(string fixture)
    {
        ModelFolder folder = Build(Fixtures.Shared(fixture, "hf"), Precision.Fp32);
        Assert.False(folder.IsSynthetic);
        using OrtEngine engine = Load(folder);
        foreach (JsonElement reference in Cases(fixture))
        {
            int[] prompt = Integers(reference, "input_ids");
            int[] expected = Integers(reference, "greedy_new_tokens");
            float[] logits = [.. reference.GetProperty("last_logits").EnumerateArray().Select(value => value.GetSingle())];
            engine.Reset(prompt.Length + expected.Length);
            engine.Prefill(prompt);

            double worst = logits.Zip(engine.LastLogits(), (theirs, ours) => Math.Abs((double)theirs - ours)).Max();
            Assert.InRange(worst, 0, 1e-4 * (logits.Max() - logits.Min()));
            Assert.Equal(expected, expected.Select(_ => engine.NextToken()));
        }
    }

    /// <summary>
    /// All stored weights are the same bytes; only cosines and sines differ in their last bit, and activations rounded to 8 bits make
    /// whole steps of that. So the caches are taken from the official folder.
    /// </summary>
    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Int4_gives_the_logits_of_the_official_builders_folder(string fixture)
    {
        ModelFolder folder = Build(Fixtures.Shared(fixture, "hf"), Precision.Int4);
        var official = ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu"));
        CopyTensor(official, folder, "cos_cache");
        CopyTensor(official, folder, "sin_cache");
        using OrtEngine ours = Load(folder);
        using OrtEngine theirs = Load(official);
        foreach (JsonElement reference in Cases(fixture))
        {
            int[] prompt = Integers(reference, "input_ids");
            float[][] logits =
            [
                .. ((OrtEngine[])[ours, theirs]).Select(engine =>
                {
                    engine.Reset(prompt.Length + 1);
                    engine.Prefill(prompt);
                    return engine.LastLogits();
                }),
            ];

            Assert.InRange(logits[0].Zip(logits[1], (a, b) => Math.Abs((double)a - b)).Max(), 0, 1e-3);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(LlamaShape shape, CheckpointType type, long shardBytes)
    {
        string folder = Path.Combine(_folder, "checkpoint");
        SyntheticCheckpoint.Write(
            shape,
            folder,
            type,
            shardBytes,
            seed: 7,
            threads: 2,
            progress: null,
            TestContext.Current.CancellationToken
        );
        return folder;
    }

    private ModelFolder Build(string checkpoint, Precision precision, bool symmetric = true, int blockSize = 32) =>
        ModelBuilder.Build(
            new ModelBuildOptions
            {
                Model = checkpoint,
                Precision = precision,
                Symmetric = symmetric,
                BlockSize = blockSize,
            },
            Path.Combine(_folder, "model"),
            cancellationToken: TestContext.Current.CancellationToken
        );

    private static void CopyTensor(ModelFolder from, ModelFolder to, string name)
    {
        (int source, int length) = Place(from, name);
        (int target, int space) = Place(to, name);
        Assert.Equal(length, space);
        using FileStream data = File.OpenWrite(Path.Combine(to.Path, "model.onnx.data"));
        data.Position = target;
        data.Write(File.ReadAllBytes(Path.Combine(from.Path, "model.onnx.data")), source, length);
    }

    private static (int Offset, int Length) Place(ModelFolder folder, string name)
    {
        TensorProto tensor = OnnxFile.Read(folder.GraphPath).Graph.Initializer.Single(tensor => tensor.Name == name);
        return (Entry("offset"), Entry("length"));

        int Entry(string key) => int.Parse(tensor.ExternalData.Single(entry => entry.Key == key).Value, CultureInfo.InvariantCulture);
    }

    private static OrtEngine Load(ModelFolder folder) =>
        (OrtEngine)EngineCatalog.Get("ort").Load(folder, new EngineOptions { Threads = 1, AllowEos = true });

    private static JsonElement.ArrayEnumerator Cases(string fixture) =>
        JsonDocument.Parse(File.ReadAllBytes(Fixtures.Shared(fixture, "reference.json"))).RootElement.GetProperty("cases").EnumerateArray();

    private static int[] Integers(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(value => value.GetInt32())];
}
