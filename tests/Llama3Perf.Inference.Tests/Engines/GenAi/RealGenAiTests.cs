using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>The engine on a real onnxruntime-genai: the folder that LLAMA3PERF_TEST_GENAI_DIR names holds it and an ONNX Runtime.</summary>
[Collection(FakeGenAi.Collection)]
public sealed class RealGenAiTests
{
    private static readonly int[] s_prompt = [1019, 5, 6, 7, 300, 12];

    public RealGenAiTests() =>
        Assert.SkipWhen(TestRuntime.RealFolder is null, $"{TestRuntime.RealFolderVariable} names no folder with a real onnxruntime-genai");

    [Fact]
    public void The_real_library_is_the_one_of_the_folder()
    {
        Oga.RequireLibrary();
        string[] names = [NativeLibraries.OnnxRuntime, NativeLibraries.GenAi];
        Assert.Equal(names, NativeLibraries.Loaded().Select(library => library.Name));
        Assert.All(
            NativeLibraries.Loaded(),
            library => Assert.StartsWith(Path.GetFullPath(TestRuntime.RealFolder!), library.Path, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void A_generation_fills_max_length_and_repeats_itself_for_any_thread_count(string fixture)
    {
        using IEngine one = Load(fixture, threads: 1);
        using IEngine two = Load(fixture, threads: 2);
        int[] first = TimedGeneration.Run(one, s_prompt, 64).NewTokens;
        Assert.Equal(58, first.Length);
        Assert.Equal(first, TimedGeneration.Run(one, s_prompt, 64).NewTokens);
        Assert.Equal(first, TimedGeneration.Run(two, s_prompt, 64).NewTokens);
        // A shorter sequence is a prefix: nothing of the one before is left in the cache.
        Assert.Equal(first[..10], TimedGeneration.Run(one, s_prompt, 16).NewTokens);
    }

    [Fact]
    public void A_token_allocates_nothing_on_the_managed_side()
    {
        using IEngine engine = Load("llama3-gqa-bf16", threads: 1);
        engine.Reset(200);
        engine.Prefill(s_prompt);
        for (int i = 0; i < 50; i++)
        {
            _ = engine.NextToken();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            _ = engine.NextToken();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Max_length_above_the_context_is_the_librarys_own_message()
    {
        using IEngine engine = Load("llama3-gqa-bf16", threads: 1);
        EngineException e = Assert.Throws<EngineException>(() => engine.Reset(513));
        Assert.Equal("OgaCreateGenerator: max_length (513) cannot be greater than model context_length (512)", e.Message);
        Assert.Equal(10, TimedGeneration.Run(engine, s_prompt, 16).NewTokens.Length);
    }

    [Fact]
    public void A_broken_folder_is_named_with_the_librarys_text()
    {
        string folder = TestRuntime.Scratch("broken größe");
        EngineException e = Assert.Throws<EngineException>(() =>
            GenAiRuntime.Kind.Load(FakeGenAi.Folder with { Path = folder }, new EngineOptions())
        );
        Assert.StartsWith($"{folder}: OgaCreateConfig: ", e.Message, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(folder, "genai_config.json"), "{ \"model\": ");
        e = Assert.Throws<EngineException>(() => GenAiRuntime.Kind.Load(FakeGenAi.Folder with { Path = folder }, new EngineOptions()));
        Assert.StartsWith($"{folder}: OgaCreateConfig: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Quotes_letters_and_backslashes_pass_its_json_reader()
    {
        string folder = Fixtures.Shared("llama3-gqa-bf16", "official-int4-cpu");
        EngineOptions options = new()
        {
            Provider = ExecutionProvider.Cuda,
            SessionEntries = new Dictionary<string, string> { ["session.größe"] = "C:\\ü \"x\"" },
            ProviderOptions = new Dictionary<string, string> { ["path"] = "C:\\ü \"x\"" },
        };
        using OgaConfig config = GenAiConfig.Open(folder, options, 1);
        Assert.False(config.IsInvalid);
    }

    [Fact]
    public void Where_the_nodes_ran_is_read_from_a_profile()
    {
        ModelFolder folder = ModelFolderReader.Open(Fixtures.Shared("llama3-gqa-bf16", "official-int4-cpu"));
        Assert.Null(GenAiPlacement.Warning(folder, new EngineOptions(), "CPUExecutionProvider"));
        Assert.Contains(
            "compute nodes did not run on CUDAExecutionProvider",
            GenAiPlacement.Warning(folder, new EngineOptions(), "CUDAExecutionProvider"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_provider_that_is_not_compiled_in_is_the_librarys_own_message()
    {
        ModelFolder folder = ModelFolderReader.Open(Fixtures.Shared("llama3-gqa-bf16", "official-int4-cpu"));
        Assert.SkipWhen(GenAiRuntime.Kind.Availability(ExecutionProvider.Cuda).IsAvailable, "this ONNX Runtime has CUDA");
        Assert.StartsWith(
            "OgaCreateModelFromConfig: Cuda interface not available",
            Assert.Throws<EngineException>(() => new GenAiEngine(folder, new EngineOptions { Provider = ExecutionProvider.Cuda })).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Nothing_is_left_alive()
    {
        int before = OgaHandle.LiveCount;
        using (IEngine engine = Load("llama3-gqa-bf16", threads: 1))
        {
            _ = TimedGeneration.Run(engine, s_prompt, 16);
            Assert.Equal(before + 3, OgaHandle.LiveCount);
        }

        Assert.Equal(before, OgaHandle.LiveCount);
    }

    private static IEngine Load(string fixture, int threads) =>
        GenAiRuntime.Kind.Load(
            ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu")),
            new EngineOptions { Threads = threads }
        );
}
