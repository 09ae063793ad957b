using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Ort;

public sealed class OrtEngineTests : IDisposable
{
    private static readonly int[] s_prompt = [700, 3, 14, 159, 26, 535];

    private readonly string _root = Directory.CreateTempSubdirectory("l3p-ort-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

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
        ModelFolder folder = Build(new ModelBuildOptions { Shape = "llama-tiny", Precision = precision, BlockSize = blockSize, Symmetric = symmetric, TieEmbeddings = tied });

        FollowsPlainPass(folder, steps: 4);
    }

    [Fact]
    public void Decodes_graphs_with_logits_of_every_position() =>
        FollowsPlainPass(Build(new ModelBuildOptions { Shape = "llama-tiny", Precision = Precision.Int4, PruneLmHead = false }), steps: 3);

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Decodes_the_official_builders_folders(string fixture) =>
        FollowsPlainPass(ModelFolder.Open(Fixtures.Shared(fixture, "official-int4-cpu")), steps: 3);

    [Fact]
    public void A_token_allocates_nothing()
    {
        using IEngine engine = Load(Build(new ModelBuildOptions { Shape = "llama-tiny" }));
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
        ModelFolder folder = Build(new ModelBuildOptions { Shape = "llama-tiny", Precision = Precision.Fp32 });
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
        using IEngine engine = Load(Build(new ModelBuildOptions { Shape = "llama-tiny", Precision = Precision.Fp32 }));
        int[] all = [.. s_prompt, .. TimedGeneration.Run(engine, s_prompt, 30).NewTokens];

        for (int length = s_prompt.Length; length < all.Length; length++)
        {
            Assert.Equal(all[length], TimedGeneration.Run(engine, all.AsSpan(0, length), length + 1).NewTokens.Single());
        }
    }

    [Fact]
    public void Eos_is_left_out_unless_it_is_allowed()
    {
        ModelFolder folder = Build(new ModelBuildOptions { Shape = "llama-tiny" });
        using IEngine free = Load(folder, new EngineOptions { AllowEos = true });
        int first = TimedGeneration.Run(free, s_prompt, 20).NewTokens[0];

        using IEngine engine = Load(folder with { EosTokenIds = [first] });

        Assert.DoesNotContain(first, TimedGeneration.Run(engine, s_prompt, 60).NewTokens);
    }

    [Fact]
    public void Calls_out_of_order_are_refused()
    {
        using IEngine engine = Load(Build(new ModelBuildOptions { Shape = "llama-tiny" }));

        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        engine.Reset(8);
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        engine.Prefill([1, 2, 3, 4, 5, 6, 7]);
        Assert.Throws<InvalidOperationException>(() => engine.Prefill([1]));
        engine.NextToken();
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
    }

    [Theory]
    [InlineData(GraphTarget.DirectML, ExecutionProvider.Cpu, "is a DirectML graph")]
    [InlineData(GraphTarget.DirectML, ExecutionProvider.WebGpu, "is a DirectML graph")]
    [InlineData(GraphTarget.Cpu, ExecutionProvider.Dml, "is not a DirectML graph")]
    public void A_graph_on_a_provider_that_computes_it_wrongly_is_refused(GraphTarget target, ExecutionProvider provider, string reason)
    {
        ModelFolder folder = Build(new ModelBuildOptions { Shape = "llama-tiny", Target = target });

        EngineException error = Assert.Throws<EngineException>(() => Load(folder, new EngineOptions { Provider = provider }));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Graph_capture_is_refused_because_it_computes_garbage_silently()
    {
        ModelFolder directML = Build(new ModelBuildOptions { Shape = "llama-tiny", Target = GraphTarget.DirectML });
        EngineOptions options = new() { Provider = ExecutionProvider.Dml, SessionEntries = new Dictionary<string, string> { ["ep.dml.enable_graph_capture"] = "1" } };

        EngineException error = Assert.Throws<EngineException>(() => ProviderRules.Check(directML, options));

        Assert.Contains("ep.dml.enable_graph_capture", error.Message, StringComparison.Ordinal);
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
    public void A_session_entry_that_onnx_runtime_refuses_is_one_line()
    {
        ModelFolder folder = Build(new ModelBuildOptions { Shape = "llama-tiny" });
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
        PlainLlama plain = new(folder);
        using OrtEngine engine = (OrtEngine)Load(folder, new EngineOptions { AllowEos = true });
        List<int> tokens = [.. s_prompt.Select(token => token % folder.VocabularySize)];
        engine.Reset(tokens.Count + steps + 1);
        engine.Prefill(tokens.ToArray());
        AssertClose(plain.Logits(tokens), engine.LastLogits(), folder.Precision, token: null);
        for (int step = 0; step < steps; step++)
        {
            tokens.Add(engine.NextToken());
            if (step > 0)
            {
                AssertClose(plain.Logits(tokens[..^1]), engine.LastLogits(), folder.Precision, tokens[^1]);
            }
        }
    }

    private static void AssertClose(float[] expected, float[] actual, Precision precision, int? token)
    {
        // For logits of our folders, whose root mean square is about 1; a fixture has logits of up to 17, and errors in proportion.
        double scale = Math.Max(1, Math.Sqrt(Dot(expected, expected) / expected.Length));
        double limit = scale * (precision switch { Precision.Fp32 => 1e-4, Precision.Fp16 => 2e-2, _ => 2e-1 });
        double worst = expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max();
        double cosine = Dot(expected, actual) / Math.Sqrt(Dot(expected, expected) * Dot(actual, actual));
        Assert.True(worst <= limit, $"a logit is {worst} off, more than {limit}");
        Assert.True(cosine >= 0.999, $"the cosine is {cosine}");

        // Only where the reference is sure by more than the error could be.
        float[] sorted = [.. expected.OrderDescending().Take(2)];
        if (token is { } chosen && sorted[0] - sorted[1] > 2 * limit)
        {
            Assert.Equal(Array.IndexOf(expected, sorted[0]), chosen);
        }
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();

    private static IEngine Load(ModelFolder folder, EngineOptions? options = null) => EngineCatalog.Get("ort").Load(folder, options ?? new EngineOptions { Threads = 2 });

    private ModelFolder Build(ModelBuildOptions options) => new ModelStore(_root).GetOrBuild(options);
}
