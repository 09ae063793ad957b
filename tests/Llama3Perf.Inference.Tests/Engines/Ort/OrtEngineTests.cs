using Google.Protobuf;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

public sealed class OrtEngineTests(ModelFolders folders) : IClassFixture<ModelFolders>
{
    private static readonly int[] s_prompt = [700, 3, 14, 159, 26, 535];

    [Theory]
    [InlineData(Precision.Fp32, 32, true, null)]
    [InlineData(Precision.Fp32, 32, true, true)]
    [InlineData(Precision.Fp16, 32, true, null)]
    [InlineData(Precision.Int8, 32, true, null)]
    [InlineData(Precision.Int8, 64, true, true)]
    [InlineData(Precision.Int4, 32, true, null)]
    [InlineData(Precision.Int4, 128, true, null)]
    [InlineData(Precision.Int4, 32, false, null)]
    [InlineData(Precision.Int4, 32, true, true)]
    [InlineData(Precision.Int4, 32, true, false)]
    public void Decodes_as_a_plain_forward_pass_does(Precision precision, int blockSize, bool symmetric, bool? tied)
    {
        ModelFolder folder = Build(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = precision,
                BlockSize = blockSize,
                Symmetric = symmetric,
                TieEmbeddings = tied,
            }
        );

        FollowsPlainPass(folder, steps: 4);
    }

    [Fact]
    public void Decodes_graphs_with_logits_of_every_position() =>
        FollowsPlainPass(
            Build(
                new ModelBuildOptions
                {
                    Model = "llama-tiny",
                    Precision = Precision.Int4,
                    PruneLmHead = false,
                }
            ),
            steps: 3
        );

    [Theory]
    [InlineData(GraphTarget.Cuda)]
    [InlineData(GraphTarget.WebGpu)]
    public void Decodes_graphs_for_devices_with_float16_inputs_and_outputs(GraphTarget target) =>
        FollowsPlainPass(Build(new ModelBuildOptions { Model = "llama-tiny", Target = target }), steps: 3);

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Decodes_the_official_builders_folders(string fixture) =>
        FollowsPlainPass(ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu")), steps: 3);

    // The CPU computes DirectML's form too, so its positions' input and its form are tested everywhere.
    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Int4)]
    public void Decodes_directml_graphs_with_their_positions(Precision precision) =>
        FollowsPlainPass(
            Build(
                new ModelBuildOptions
                {
                    Model = "llama-tiny",
                    Precision = precision,
                    Target = GraphTarget.DirectML,
                }
            ),
            steps: 3
        );

    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-dml")]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml")]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-dml")]
    public void Decodes_the_official_builders_directml_folders(string fixture, string name) =>
        FollowsPlainPass(ModelFolderReader.Open(Fixtures.Shared(fixture, name)), steps: 3);

    [Theory]
    [InlineData(Precision.Int4)]
    [InlineData(Precision.Fp16)]
    public void A_token_allocates_nothing(Precision precision)
    {
        using IEngine engine = Load(Build(new ModelBuildOptions { Model = "llama-tiny", Precision = precision }));
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
    public void The_same_folder_gives_the_same_tokens_whatever_the_threads_and_the_past()
    {
        ModelFolder folder = Build(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 });
        using IEngine one = Load(folder, new EngineOptions { Threads = 1 });
        using IEngine three = Load(folder, new EngineOptions { Threads = 3 });
        int[] expected = TimedGeneration.Run(one, s_prompt, 40).NewTokens;

        // Other lengths and prompts in between leave nothing behind.
        TimedGeneration.Run(three, [1, 2, 3], 60);
        TimedGeneration.Run(three, [9, 8, 7, 6, 5, 4, 3, 2], 40);

        Assert.Equal(expected, TimedGeneration.Run(three, s_prompt, 40).NewTokens);
        Assert.Equal(expected, TimedGeneration.Run(one, s_prompt, 40).NewTokens);
        Assert.Equal(expected[..10], TimedGeneration.Run(one, s_prompt, s_prompt.Length + 10).NewTokens);
    }

    [Fact]
    public void A_prompt_at_once_equals_a_prompt_grown_token_by_token()
    {
        using IEngine engine = Load(Build(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 }));
        int[] first = s_prompt[..1];
        int[] all = [.. first, .. TimedGeneration.Run(engine, first, 30).NewTokens];

        for (int length = 1; length < all.Length; length++)
        {
            Assert.Equal(all[length], TimedGeneration.Run(engine, all.AsSpan(0, length), length + 1).NewTokens.Single());
        }
    }

    [Fact]
    public void Eos_is_left_out_unless_it_is_allowed()
    {
        ModelFolder folder = Build(new ModelBuildOptions { Model = "llama-tiny" });
        using IEngine free = Load(folder, new EngineOptions { AllowEos = true });
        int first = TimedGeneration.Run(free, s_prompt, 20).NewTokens[0];

        using IEngine engine = Load(folder with { EosTokenIds = [first] });

        Assert.DoesNotContain(first, TimedGeneration.Run(engine, s_prompt, 60).NewTokens);
    }

    [Fact]
    public void Calls_out_of_order_are_refused()
    {
        using IEngine engine = Load(Build(new ModelBuildOptions { Model = "llama-tiny" }));

        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        engine.Reset(8);
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        engine.Prefill([1, 2, 3, 4, 5, 6, 7]);
        Assert.Throws<InvalidOperationException>(() => engine.Prefill([1]));
        engine.NextToken();
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
    }

    [Fact]
    public void A_provider_that_is_not_there_says_where_it_was_looked_for()
    {
        Availability availability = EngineCatalog.Get("ort").Availability(ExecutionProvider.Cuda);
        Assert.SkipWhen(availability.IsAvailable, "this ONNX Runtime has CUDA");

        Assert.Contains("onnxruntime", availability.Reason, StringComparison.Ordinal);
        Assert.Contains("CPUExecutionProvider", availability.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Garbage_from_the_provider_is_an_error_and_no_token()
    {
        ModelFolder folder = folders.Own(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 });
        string data = Path.Combine(folder.Path, "model.onnx.data");
        byte[] notNumbers = new byte[new FileInfo(data).Length];
        notNumbers.AsSpan().Fill(0xFF);
        File.WriteAllBytes(data, notNumbers);
        using IEngine engine = Load(folder);
        engine.Reset(8);
        engine.Prefill([1, 2, 3]);

        EngineException error = Assert.Throws<EngineException>(() => engine.NextToken());

        Assert.Contains("NaN", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sequence_beyond_the_context_is_refused()
    {
        ModelFolder folder = Build(new ModelBuildOptions { Model = "llama-tiny" });
        using IEngine engine = Load(folder);

        EngineException error = Assert.Throws<EngineException>(() => engine.Reset(folder.ContextLength + 1));

        Assert.Contains("2049", error.Message, StringComparison.Ordinal);
        Assert.Equal(folder.ContextLength - 3, TimedGeneration.Run(engine, [1, 2, 3], folder.ContextLength).NewTokens.Length);
    }

    [Fact]
    public void A_shorter_sequence_gets_a_cache_of_its_own_length()
    {
        using IEngine engine = Load(Build(new ModelBuildOptions { Model = "llama-tiny" }));
        engine.Reset(64);
        engine.Reset(s_prompt.Length);

        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Prefill(s_prompt));
    }

    [Fact]
    public void A_cache_that_cannot_be_allocated_is_one_line()
    {
        ModelFolder folder = folders.Own(new ModelBuildOptions { Model = "llama-tiny" });
        ModelProto onnx = OnnxFile.ReadWhole(folder.GraphPath);
        foreach (ValueInfoProto input in onnx.Graph.Input.Where(input => input.Name.StartsWith("past", StringComparison.Ordinal)))
        {
            // Where the graph keeps its cache's size symbolic, the configuration decides.
            (input.Type.TensorType.Shape.Dim[1].DimParam, input.Type.TensorType.Shape.Dim[3].DimParam) = ("heads", "width");
        }

        File.WriteAllBytes(folder.GraphPath, onnx.ToByteArray());
        using IEngine engine = Load(folder with { HeadSize = int.MaxValue, KeyValueHeadCount = int.MaxValue });

        EngineException error = Assert.Throws<EngineException>(() => engine.Reset(2048));

        Assert.Contains("KV cache of 2048 tokens", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_token_beyond_the_vocabulary_fails_with_the_native_text_and_the_next_sequence_is_sound()
    {
        using IEngine engine = Load(
            Build(
                new ModelBuildOptions
                {
                    Model = "llama-tiny",
                    Precision = Precision.Fp32,
                    TieEmbeddings = false,
                }
            )
        );
        int[] expected = TimedGeneration.Run(engine, s_prompt, 20).NewTokens;
        engine.Reset(20);

        EngineException error = Assert.Throws<EngineException>(() => engine.Prefill([1, 99999, 3]));

        Assert.Contains("prompt of 3 tokens", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        Assert.Equal(expected, TimedGeneration.Run(engine, s_prompt, 20).NewTokens);
    }

    [Fact]
    public void Session_entries_and_optimization_levels_reach_onnx_runtime()
    {
        ModelFolder folder = Build(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 });
        EngineOptions options = new()
        {
            Threads = 1,
            Optimization = OptimizationLevel.None,
            SessionEntries = new Dictionary<string, string>
            {
                ["session.prepack.enable_parallel"] = "0",
                ["session.intra_op.allow_spinning"] = "0",
            },
        };
        using IEngine plain = Load(folder, options);
        using IEngine usual = Load(folder);

        Assert.Equal(TimedGeneration.Run(usual, s_prompt, 20).NewTokens, TimedGeneration.Run(plain, s_prompt, 20).NewTokens);
        EngineException error = Assert.Throws<EngineException>(() =>
            Load(folder, new EngineOptions { SessionEntries = new Dictionary<string, string> { [new string('k', 5000)] = "1" } })
        );
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_graph_that_onnx_runtime_refuses_is_one_line_with_its_text()
    {
        ModelFolder folder = folders.Own(new ModelBuildOptions { Model = "llama-tiny" });
        string graph = Path.Combine(folder.Path, "model.onnx");
        byte[] bytes = File.ReadAllBytes(graph);
        "SlipSimplifiedLayerNormalization"u8.CopyTo(bytes.AsSpan(bytes.AsSpan().IndexOf("SkipSimplifiedLayerNormalization"u8)));
        File.WriteAllBytes(graph, bytes);

        EngineException error = Assert.Throws<EngineException>(() => Load(folder));

        Assert.Contains("SlipSimplifiedLayerNormalization", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private static void FollowsPlainPass(ModelFolder folder, int steps)
    {
        using var engine = (OrtEngine)Load(folder, new EngineOptions { AllowEos = true });
        PlainPass.AssertFollowed(engine, folder, steps, PlainPass.Tolerance(folder.Precision));
    }

    private static IEngine Load(ModelFolder folder, EngineOptions? options = null) =>
        EngineCatalog.Get("ort").Load(folder, options ?? new EngineOptions { Threads = 2 });

    private ModelFolder Build(ModelBuildOptions options) => folders.Get(options);
}
