using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Tests.Building;
using Llama3Perf.Inference.Tests.Engines.Ort;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Inference.Tests.Engines.LlamaCpp;

/// <summary>GGUF files that were made of ONNX folders, on llama.cpp: against a plain forward pass over the folder's weights.</summary>
public sealed class LlamaCppEngineTests(ModelFolders folders) : IClassFixture<ModelFolders>, IDisposable
{
    private static readonly int[] s_prompt = [700, 3, 14, 159, 26, 535];
    private static readonly LlamaShape s_small = LlamaShape.Load("llama-tiny");

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-gguf-").FullName;

    public static TheoryData<string> Shapes => [.. Variants.Keys];

    private static Dictionary<string, LlamaShape> Variants { get; } =
        new()
        {
            ["tied"] = s_small with { TieEmbeddings = true },
            ["biases"] = s_small with { TieEmbeddings = false, AttentionBias = true, MlpBias = true },
            ["head size 48, three heads for one"] = s_small with { HeadSize = 48, HeadCount = 3, KeyValueHeadCount = 1 },
            ["llama3 rope scaling"] = s_small with { RopeScaling = new RopeScaling(8, 1, 4, 64), RopeTheta = 500_000 },
            ["plain rope of Llama 2"] = s_small with { RopeScaling = null, RopeTheta = 10_000, KeyValueHeadCount = s_small.HeadCount },
        };

    [Theory]
    [InlineData(Precision.Fp32, 32, true, GraphTarget.Cpu)]
    [InlineData(Precision.Fp16, 32, true, GraphTarget.Cpu)]
    [InlineData(Precision.Int8, 32, true, GraphTarget.Cpu)]
    [InlineData(Precision.Int8, 64, true, GraphTarget.Cuda)]
    [InlineData(Precision.Int4, 32, true, GraphTarget.Cpu)]
    [InlineData(Precision.Int4, 32, true, GraphTarget.DirectML)]
    [InlineData(Precision.Int4, 128, true, GraphTarget.Cpu)]
    [InlineData(Precision.Int4, 32, false, GraphTarget.Cpu)]
    [InlineData(Precision.Int4, 64, false, GraphTarget.Cpu)]
    public void Follows_a_plain_forward_pass_over_the_folder(Precision precision, int blockSize, bool symmetric, GraphTarget target)
    {
        ModelFolder source = folders.Get(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = precision,
                BlockSize = blockSize,
                Symmetric = symmetric,
                Target = target,
            }
        );
        ModelFolder gguf = Convert(source);

        using IEngine engine = Load(gguf);
        PlainPass.AssertFollowed(engine, source, new FolderWeights(source), steps: 3, PlainPass.Tolerance(precision));
        Assert.Equal((precision, source.BlockSize, ModelFormat.Gguf), (gguf.Precision, gguf.BlockSize, gguf.Format));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Fp32_follows_a_plain_forward_pass_over_the_checkpoint(string shape)
    {
        string checkpoint = Path.Combine(_folder, "checkpoint");
        SyntheticCheckpoint.Write(
            Variants[shape],
            checkpoint,
            CheckpointType.BFloat16,
            long.MaxValue,
            seed: 7,
            threads: 2,
            progress: null,
            TestContext.Current.CancellationToken
        );
        ModelFolder source = ModelBuilder.Build(
            new ModelBuildOptions { Model = checkpoint, Precision = Precision.Fp32 },
            Path.Combine(_folder, "model"),
            cancellationToken: TestContext.Current.CancellationToken
        );

        using IEngine engine = Load(Convert(source));
        PlainPass.AssertFollowed(engine, source, new CheckpointValues(checkpoint), steps: 3, PlainPass.Tolerance(Precision.Fp32));
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        using IEngine engine = Load(Convert(folders.Get(new ModelBuildOptions { Model = "llama-tiny" })));
        engine.Reset(120);
        engine.Prefill(s_prompt);
        engine.NextToken();
        engine.NextToken();

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            engine.NextToken();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Other_prompts_and_lengths_in_between_leave_nothing_behind()
    {
        using IEngine engine = Load(Convert(folders.Get(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 })));
        int[] expected = TimedGeneration.Run(engine, s_prompt, 40).NewTokens;

        TimedGeneration.Run(engine, [1, 2, 3], 60);
        TimedGeneration.Run(engine, [9, 8, 7, 6, 5, 4, 3, 2], 40);

        Assert.Equal(expected, TimedGeneration.Run(engine, s_prompt, 40).NewTokens);
    }

    [Fact]
    public void Eos_is_left_out_unless_it_is_allowed()
    {
        ModelFolder gguf = Convert(folders.Get(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 }));
        using IEngine free = Load(gguf);
        int first = TimedGeneration.Run(free, s_prompt, 20).NewTokens[0];

        using IEngine engine = Load(gguf with { EosTokenIds = [first] }, new EngineOptions { Threads = 1 });

        Assert.DoesNotContain(first, TimedGeneration.Run(engine, s_prompt, 40).NewTokens);
    }

    [Fact]
    public void A_longer_prompt_is_computed_in_pieces_and_gives_the_same()
    {
        using IEngine engine = Load(Convert(folders.Get(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 })));
        int[] first = s_prompt[..1];
        int[] all = [.. first, .. TimedGeneration.Run(engine, first, 12).NewTokens];

        for (int length = 1; length < all.Length; length++)
        {
            Assert.Equal(all[length], TimedGeneration.Run(engine, all.AsSpan(0, length), length + 1).NewTokens.Single());
        }
    }

    [Fact]
    public void It_says_what_it_is_and_refuses_what_it_cannot_do()
    {
        ModelFolder source = folders.Get(new ModelBuildOptions { Model = "llama-tiny" });
        ModelFolder gguf = Convert(source);
        using IEngine engine = Load(gguf);

        Assert.Equal("llama.cpp", engine.Description.Engine);
        Assert.StartsWith("0.18.", engine.Description.Versions!["ggml"], StringComparison.Ordinal);
        Assert.Contains("f32", engine.Description.Notes!.Single(), StringComparison.Ordinal);
        Assert.Contains("context", Refusal(() => engine.Reset(1 << 20)), StringComparison.Ordinal);
        Assert.Contains("convert --to gguf", Refusal(() => Load(source)), StringComparison.Ordinal);
        Assert.Contains(
            "--engine llama.cpp",
            Refusal(() => EngineCatalog.Get("ort").Load(gguf, new EngineOptions())),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "--engine llama.cpp",
            Refusal(() => EngineCatalog.Get("genai").Load(gguf, new EngineOptions())),
            StringComparison.Ordinal
        );
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Refusal(Action action) => Assert.Throws<EngineException>(action).Message;

    private ModelFolder Convert(ModelFolder source) => new ModelStore(_folder).ConvertToGguf(source);

    private static IEngine Load(ModelFolder folder, EngineOptions? options = null) =>
        EngineCatalog
            .Get("llama.cpp")
            .Load(
                folder,
                options
                    ?? new EngineOptions
                    {
                        Threads = 1,
                        AllowEos = true,
                        KeyValueType = KeyValueType.F32,
                        FlashAttention = FlashAttention.Off,
                    }
            );
}
