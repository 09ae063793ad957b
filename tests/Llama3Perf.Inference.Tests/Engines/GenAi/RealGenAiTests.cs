using System.Security.Cryptography;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Native;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>The engine on the onnxruntime-genai of the build's packages.</summary>
[Collection(Collection)]
public sealed class RealGenAiTests
{
    /// <summary>Tests that call the library, which is not thread-safe, run one after another.</summary>
    public const string Collection = "onnxruntime-genai";

    private static readonly int[] s_prompt = [5, 6, 7, 300, 12];

    public RealGenAiTests() => TestRuntime.SkipWithoutGenAi();

    [Fact]
    public void The_libraries_are_those_of_the_packages_and_tell_their_versions()
    {
        Oga.RequireLibrary();
        LoadedLibrary[] libraries = [.. NativeLibraries.Loaded()];
        Assert.Equal([NativeLibraries.OnnxRuntime, NativeLibraries.GenAi], libraries.Take(2).Select(library => library.Name));
        Assert.Equal(
            [NativeLibraries.Metadata("OnnxRuntimePackageVersion"), NativeLibraries.Metadata("GenAiPackageVersion")],
            libraries.Take(2).Select(library => library.Version!.Split('+')[0])
        );
        Assert.All(
            libraries,
            library =>
            {
                Assert.Equal(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory), Path.GetDirectoryName(library.Path));
                Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(library.Path))), library.Sha256);
            }
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
        Assert.Equal(59, first.Length);
        Assert.Equal(first, TimedGeneration.Run(one, s_prompt, 64).NewTokens);
        Assert.Equal(first, TimedGeneration.Run(two, s_prompt, 64).NewTokens);
        // A shorter sequence is a prefix: nothing of the one before is left in the cache.
        Assert.Equal(first[..11], TimedGeneration.Run(one, s_prompt, 16).NewTokens);
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
        Assert.Equal(11, TimedGeneration.Run(engine, s_prompt, 16).NewTokens.Length);
    }

    [Fact]
    public void A_broken_folder_is_named_with_the_librarys_text()
    {
        string folder = TestRuntime.Scratch("broken größe");
        EngineException e = Assert.Throws<EngineException>(() =>
            GenAiRuntime.Kind.Load(Opened("llama3-gqa-bf16") with { Path = folder }, new EngineOptions())
        );
        Assert.StartsWith($"{folder}: OgaCreateConfig: ", e.Message, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(folder, "genai_config.json"), "{ \"model\": ");
        e = Assert.Throws<EngineException>(() =>
            GenAiRuntime.Kind.Load(Opened("llama3-gqa-bf16") with { Path = folder }, new EngineOptions())
        );
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
        GenAiRuntime.Kind.Load(Opened(fixture), new EngineOptions { Threads = threads });

    private static ModelFolder Opened(string fixture) => ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu"));
}
