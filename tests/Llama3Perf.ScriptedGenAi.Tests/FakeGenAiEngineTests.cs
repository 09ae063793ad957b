using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Verification;

namespace Llama3Perf.ScriptedGenAi.Tests;

/// <summary>The engine on the fake library: what it asks of the native side, in which order, and what it makes of each answer.</summary>
[Collection(FakeGenAi.Collection)]
public sealed class FakeGenAiEngineTests : FakeGenAiTest
{
    [Fact]
    public void Tokens_come_back_as_the_library_gives_them()
    {
        using IEngine engine = Load();
        GenerationResult result = TimedGeneration.Run(engine, [1, 5, 7], maxLength: 8);

        int[] expected = new int[5];
        int token = 7;
        for (int i = 0; i < expected.Length; i++)
        {
            expected[i] = token = FakeGenAi.Next(token, 4 + i);
        }

        Assert.Equal(expected, result.NewTokens);
        Assert.Contains("OgaGenerator_AppendTokens(3: 1..7)", Fake.Log);
    }

    [Fact]
    public void The_folder_reaches_the_library_as_utf8_and_the_config_ends_with_the_load()
    {
        using IEngine engine = Load();
        Assert.Equal($"OgaCreateConfig({FakeGenAi.Folder.Path})", Fake.Log[0]);
        Assert.Equal(["OgaCreateModelFromConfig()", "OgaDestroyConfig()"], Fake.Log[^2..]);
    }

    [Fact]
    public void On_the_cpu_providers_are_cleared_and_none_is_named()
    {
        using IEngine engine = Load(
            new EngineOptions
            {
                Threads = 3,
                Optimization = OptimizationLevel.Extended,
                SessionEntries = new Dictionary<string, string> { ["session.disable_prepacking"] = "1" },
            }
        );
        Assert.Equal(3, engine.Description.Threads);
        Assert.Null(engine.Description.PlacementWarning);
        Assert.Equal(
            [
                "OgaConfigOverlay({\"model\":{\"decoder\":{\"session_options\":{\"intra_op_num_threads\":3,"
                    + "\"graph_optimization_level\":\"ORT_ENABLE_EXTENDED\",\"session.disable_prepacking\":\"1\"}}}})",
                "OgaConfigClearProviders()",
            ],
            Fake.Log[1..3]
        );
        Assert.DoesNotContain(Fake.Log, line => line.StartsWith("OgaConfigAppendProvider", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(ExecutionProvider.Dml, "DML", "device_index", "DirectML", false)]
    [InlineData(ExecutionProvider.Cuda, "cuda", "device_id", "CUDA", false)]
    [InlineData(ExecutionProvider.Cuda, "cuda", "device_id", "CUDA", true)]
    public void A_provider_is_named_exactly_and_given_its_device_and_options(
        ExecutionProvider provider,
        string name,
        string deviceOption,
        string deviceType,
        bool escapes
    )
    {
        Fake.DeviceType(deviceType);
        if (!escapes)
        {
            // Libraries before 0.18 paste what they are given into JSON: a lone quote, which they are tried with, is a syntax error.
            Fake.Fail("OgaConfigSetProviderOption", "JSON Error");
        }

        using GenAiEngine engine = new(
            FakeGenAi.Folder,
            new EngineOptions
            {
                Provider = provider,
                Device = "1",
                ProviderOptions = new Dictionary<string, string> { ["path"] = "C:\\ü \"x\"" },
            }
        );

        int clear = Array.IndexOf(Fake.Log, "OgaConfigClearProviders()");
        Assert.Equal($"OgaConfigAppendProvider({name})", Fake.Log[clear + 1]);
        Assert.Equal(
            [
                $"OgaConfigSetProviderOption({name}, {deviceOption}, 1)",
                $"OgaConfigSetProviderOption({name}, path, {(escapes ? "C:\\ü \"x\"" : "C:\\\\ü \\\"x\\\"")})",
            ],
            Fake.Log.Where(line => line.StartsWith("OgaConfigSetProviderOption", StringComparison.Ordinal)).TakeLast(2)
        );
        Assert.Equal(provider, engine.Description.Provider);
        Assert.Null(engine.Description.PlacementWarning);
        Assert.Equal(provider == ExecutionProvider.Dml, Fake.Log[1].Contains("\"enable_mem_pattern\":false", StringComparison.Ordinal));
    }

    [Fact]
    public void WebGpu_is_named_exactly()
    {
        Fake.DeviceType("WebGPU");
        using GenAiEngine engine = new(FakeGenAi.Folder, new EngineOptions { Provider = ExecutionProvider.WebGpu });
        Assert.Contains("OgaConfigAppendProvider(WebGPU)", Fake.Log);
    }

    [Fact]
    public void A_model_that_landed_elsewhere_is_not_reported_as_the_providers()
    {
        Fake.DeviceType("CPU");
        using GenAiEngine engine = new(FakeGenAi.Folder, new EngineOptions { Provider = ExecutionProvider.Cuda });
        Assert.Equal("onnxruntime-genai placed the model on CPU, not on CUDA", engine.Description.PlacementWarning);
    }

    [Fact]
    public void A_model_that_landed_elsewhere_is_freed_before_it_is_measured_or_verified()
    {
        Fake.DeviceType("CUDA");
        EngineException e = Assert.Throws<EngineException>(() => new VerifiedSide(FakeGenAi.Folder, "genai", new EngineOptions()).Load());
        Assert.Equal("onnxruntime-genai placed the model on CUDA, not on CPU", e.Message);
        Assert.Equal("OgaDestroyModel()", Fake.Log[^1]);
    }

    [Theory]
    [InlineData(ExecutionProvider.Cuda, null, "arena=kSame; enable_cuda_graph=1")]
    [InlineData(ExecutionProvider.Cuda, "enable_cuda_graph", "arena=kSame")]
    [InlineData(ExecutionProvider.WebGpu, null, "")]
    [InlineData(ExecutionProvider.Cpu, null, "")]
    public void The_folders_own_options_are_in_force_where_ours_do_not_say_otherwise(ExecutionProvider provider, string? ours, string own)
    {
        string folder = Directory.CreateTempSubdirectory("l3p-own-").FullName;
        File.WriteAllText(
            Path.Combine(folder, "genai_config.json"),
            """
            {"model": {"decoder": {"session_options": {"provider_options": [
                {"CUDA": {"enable_cuda_graph": "1", "arena": "kSame"}}, {"dml": {}}
            ]}}}}
            """
        );

        IReadOnlyDictionary<string, string> options = GenAiRuntime.Kind.FolderOptions(
            FakeGenAi.Folder with
            {
                Path = folder,
            },
            new EngineOptions
            {
                Provider = provider,
                ProviderOptions = ours is null ? new Dictionary<string, string>() : new Dictionary<string, string> { [ours] = "0" },
            }
        );

        Assert.Equal(own, string.Join("; ", options.Select(option => $"{option.Key}={option.Value}").Order(StringComparer.Ordinal)));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Every_sequence_gets_a_generator_of_fixed_length_without_eos_sampling_or_system_seed()
    {
        using IEngine engine = Load();
        engine.Reset(40);
        string[] search = Fake.Log[(Array.IndexOf(Fake.Log, "OgaDestroyConfig()") + 1)..^1];
        Assert.Equal(
            [
                "max_length=40",
                "min_length=40",
                "batch_size=1",
                "num_beams=1",
                "num_return_sequences=1",
                "do_sample=false",
                "repetition_penalty=1",
                "no_repeat_ngram_size=0",
                "past_present_share_buffer=true",
                "random_seed=1",
            ],
            search
        );
    }

    [Fact]
    public void A_finished_sequence_is_rewound_for_the_next_one_of_its_length()
    {
        using IEngine engine = Load();
        foreach (int length in new[] { 10, 10, 12 })
        {
            engine.Reset(length);
            engine.Prefill([1, 2]);
            engine.NextToken();
        }

        Assert.Equal(1, Fake.Log.Count(line => line == "OgaGenerator_RewindTo(0)"));
        Assert.Equal(2, Fake.Log.Count(line => line == "OgaCreateGenerator()"));
    }

    [Fact]
    public void The_old_cache_goes_before_the_new_one_comes_and_the_model_last()
    {
        IEngine engine = Load();
        engine.Reset(10);
        engine.Reset(12);
        engine.Dispose();
        engine.Dispose();
        Assert.Equal(
            [
                "OgaCreateGenerator()",
                "OgaDestroyGenerator()",
                "OgaDestroyGeneratorParams()",
                "OgaCreateGenerator()",
                "OgaDestroyGenerator()",
                "OgaDestroyGeneratorParams()",
                "OgaDestroyModel()",
            ],
            Fake.Log.Where(line =>
                line.Contains("Generator", StringComparison.Ordinal) || line.Contains("DestroyModel", StringComparison.Ordinal)
            )
        );
        Assert.Throws<ObjectDisposedException>(() => engine.Reset(10));
    }

    [Fact]
    public void A_parent_that_is_disposed_first_lives_on_until_its_child_ends()
    {
        using (OgaConfig config = OgaConfig.Create("/x"))
        {
            OgaModel model = OgaModel.Create(config);
            OgaGeneratorParams parameters = OgaGeneratorParams.Create(model);
            OgaGenerator generator = OgaGenerator.Create(model, parameters);
            model.Dispose();
            parameters.Dispose();
            Assert.DoesNotContain("OgaDestroyModel()", Fake.Log);
            generator.Dispose();
        }

        Assert.Equal(["OgaDestroyGenerator()", "OgaDestroyGeneratorParams()", "OgaDestroyModel()", "OgaDestroyConfig()"], Fake.Log[^4..]);
    }

    [Fact]
    public void Nothing_is_generated_at_max_length()
    {
        using IEngine engine = Load();
        engine.Reset(5);
        engine.Prefill([1, 2, 3]);
        _ = engine.NextToken();
        _ = engine.NextToken();
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        Assert.Contains("all of its 5 tokens", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_of_max_length_is_refused_before_the_library_sees_it()
    {
        using IEngine engine = Load();
        engine.Reset(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Prefill([1, 2, 3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Prefill([]));
        Assert.DoesNotContain(Fake.Log, line => line.StartsWith("OgaGenerator_AppendTokens", StringComparison.Ordinal));
    }

    [Fact]
    public void Logits_are_the_last_positions_and_leave_nothing_alive()
    {
        using IEngine engine = Load();
        engine.Reset(10);
        Assert.Throws<InvalidOperationException>(() => engine.LastLogits());
        engine.Prefill([1, 2, 3]);
        int live = Fake.Live;
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (float)i), engine.LastLogits());
        Assert.Equal(live, Fake.Live);
        Assert.Contains("OgaGenerator_GetOutput(logits)", Fake.Log);
        Fake.Fail("OgaGenerator_GetOutput", "no such output");
        Assert.Equal("OgaGenerator_GetOutput: no such output", Assert.Throws<EngineException>(() => engine.LastLogits()).Message);
    }

    [Fact]
    public void A_prompt_comes_in_one_piece()
    {
        using IEngine engine = Load();
        Assert.Throws<InvalidOperationException>(() => engine.Prefill([1]));
        engine.Reset(10);
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        engine.Prefill([1, 2]);
        Assert.Throws<InvalidOperationException>(() => engine.Prefill([3]));
    }

    [Theory]
    [InlineData("OgaCreateConfig")]
    [InlineData("OgaConfigOverlay")]
    [InlineData("OgaConfigClearProviders")]
    [InlineData("OgaCreateModelFromConfig")]
    [InlineData("OgaModelGetDeviceType")]
    public void A_failed_load_carries_folder_call_and_native_text(string call)
    {
        Fake.Fail(call, "Größe:\nnot enough");
        EngineException e = Assert.Throws<EngineException>(() => Load());
        Assert.Equal($"{FakeGenAi.Folder.Path}: {call}: Größe: not enough", e.Message);
    }

    [Theory]
    [InlineData("OgaConfigAppendProvider")]
    [InlineData("OgaConfigSetProviderOption")]
    public void A_failed_provider_carries_call_and_native_text(string call)
    {
        Fake.Fail(call, "no such provider");
        EngineException e = Assert.Throws<EngineException>(() =>
            new GenAiEngine(FakeGenAi.Folder, new EngineOptions { Provider = ExecutionProvider.Cuda, Device = "0" })
        );
        Assert.Equal($"{call}: no such provider", e.Message);
    }

    [Theory]
    [InlineData("OgaCreateGeneratorParams", 0)]
    [InlineData("OgaGeneratorParamsSetSearchNumber", 3)]
    [InlineData("OgaGeneratorParamsSetSearchBool", 1)]
    [InlineData("OgaCreateGenerator", 0)]
    public void A_failed_reset_leaves_an_engine_that_can_be_reset_again(string call, int after)
    {
        using IEngine engine = Load();
        Fake.Fail(call, "out of memory", after);
        Assert.Equal($"{call}: out of memory", Assert.Throws<EngineException>(() => engine.Reset(10)).Message);
        Assert.Throws<InvalidOperationException>(() => engine.Prefill([1]));
        Assert.Equal(7, TimedGeneration.Run(engine, [1, 2, 3], 10).NewTokens.Length);
    }

    [Fact]
    public void A_failed_prompt_carries_call_and_native_text_and_ends_the_sequence()
    {
        using IEngine engine = Load();
        engine.Reset(10);
        Fake.Fail("OgaGenerator_AppendTokens", "bad tokens");
        Assert.Equal("OgaGenerator_AppendTokens: bad tokens", Assert.Throws<EngineException>(() => engine.Prefill([1])).Message);
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
    }

    [Theory]
    [InlineData("OgaGenerator_GenerateNextToken")]
    [InlineData("OgaGenerator_GetNextTokens")]
    public void A_device_that_is_lost_in_the_middle_ends_the_sequence_with_the_native_text(string call)
    {
        const string Text =
            "887A0005 The GPU device instance has been suspended. Use GetDeviceRemovedReason to determine the appropriate action.";
        using IEngine engine = Load();
        Fake.Fail(call, Text, after: 4);
        EngineException e = Assert.Throws<EngineException>(() => TimedGeneration.Run(engine, [1, 2, 3], 20));
        Assert.Equal($"{call}: {Text}", e.Message);
        Assert.Throws<InvalidOperationException>(() => engine.NextToken());
        Assert.Equal(17, TimedGeneration.Run(engine, [1, 2, 3], 20).NewTokens.Length);
    }

    [Fact]
    public void A_token_allocates_nothing()
    {
        using IEngine engine = Load();
        engine.Reset(400);
        engine.Prefill([1, 2, 3]);
        for (int i = 0; i < 100; i++)
        {
            _ = engine.NextToken();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            _ = engine.NextToken();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
