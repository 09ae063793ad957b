using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>What is asked for becomes cases: names, keys, lengths, and reasons why some cannot run.</summary>
[Collection(nameof(CliSession))]
public sealed class CasePlannerTests : IDisposable
{
    private static readonly MachineInfo s_machine = new()
    {
        Gpus =
        [
            new GpuInfo { Index = 0, Name = "A first GPU" },
            new GpuInfo
            {
                Index = 1,
                Name = "A second GPU",
                VendorId = "0x10de",
            },
        ],
    };

    private static readonly SuiteOptions s_tiny = new()
    {
        Models = ["llama-tiny"],
        Precisions = [Precision.Int4],
        Engines = ["ort"],
        Providers = [ExecutionProvider.Cpu],
        Prompts = ["pp8"],
        MaxLengths = [24],
        Threads = 2,
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-plan-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("pp127", 143)]
    [InlineData("pp128", 256)]
    [InlineData("pp200", 328)]
    public void Without_a_length_there_are_at_least_sixteen_new_tokens(string prompt, int maxLength) =>
        Assert.Equal(maxLength, Only(s_tiny with { Prompts = [prompt], MaxLengths = null }).Key.MaxLength);

    [Theory]
    [InlineData(7, true)]
    [InlineData(8, true)]
    [InlineData(9, false)]
    [InlineData(2048, false)]
    [InlineData(2049, true)]
    public void A_length_leaves_room_for_a_token_and_is_within_the_context(int maxLength, bool isSkipped)
    {
        PlannedCase planned = Only(s_tiny with { MaxLengths = [maxLength] });

        Assert.Equal(isSkipped, planned.SkipReason is not null);
        Assert.Equal(!isSkipped, planned.IsRunnable);
    }

    [Fact]
    public void Several_numbers_of_threads_are_cases_that_differ_in_nothing_else()
    {
        IReadOnlyList<PlannedCase> cases = Plan(s_tiny with { ThreadCounts = [1, 2, 4] });

        Assert.Equal([1, 2, 4], cases.Select(planned => planned.Key.Threads));
        Assert.Equal([1, 2, 4], cases.Select(planned => planned.EngineOptions.Threads));
        Assert.Single(cases.Select(planned => planned.Key with { Threads = null }).Distinct());
    }

    [Fact]
    public void A_model_that_does_not_fit_into_memory_is_not_loaded()
    {
        // Weights and 15 % beside them.
        long needed = (long)(
            1.15
            * ModelBuilder.WeightBytes(
                new ModelBuildOptions
                {
                    Model = "llama-tiny",
                    Precision = Precision.Int4,
                    BlockSize = 32,
                }
            )
        );

        Assert.Contains("of memory and 0.0 GB are free", Only(s_tiny, needed - 1).SkipReason, StringComparison.Ordinal);
        Assert.Null(Only(s_tiny, needed + 1).SkipReason);
        Assert.Null(Only(s_tiny, memory: null).SkipReason);
    }

    [Fact]
    public void Prompts_that_look_alike_are_no_twins()
    {
        string[] alike =
        [
            "An article timed Llama-3 on one GPU",
            "An article timed Llama-3 on two GPUs",
            "OpenVINO is",
            " OpenVINO is",
            "OpenVINO is ",
        ];

        IReadOnlyList<PlannedCase> runnable = Plan(s_tiny with { Prompts = alike, MaxLengths = [64] });
        IReadOnlyList<PlannedCase> skipped = Plan(s_tiny with { Prompts = alike, Providers = [ExecutionProvider.Mps] });

        Assert.All([runnable, skipped], cases => Assert.Equal(alike.Length, cases.Select(planned => planned.CaseId).Distinct().Count()));
        Assert.All(skipped, planned => Assert.NotNull(planned.SkipReason));
    }

    [Fact]
    public void The_name_is_that_of_the_key_and_the_same_in_every_plan()
    {
        PlannedCase planned = Only(s_tiny with { Prompts = ["OpenVINO is"] });

        Assert.Equal(Llama3Perf.Results.Rows.CaseId.For(planned.Key), planned.CaseId);
        Assert.Equal(
            planned.CaseId,
            Plan(s_tiny with { Prompts = ["pp8", "OpenVINO is"], Engines = ["ort", "external:transformers"] })[1].CaseId
        );
    }

    [Fact]
    public void An_adapter_is_never_the_CPUs()
    {
        IReadOnlyList<PlannedCase> cases = Plan(
            s_tiny with
            {
                Engines = ["ort", "external:transformers"],
                Providers = [ExecutionProvider.Cpu, ExecutionProvider.Cuda],
                Device = "second",
                ProviderOptions = new Dictionary<string, string> { ["a"] = "b" },
            }
        );

        Assert.Equal(
            [
                ("ort", "cpu", null, null),
                ("ort", "cuda", "A second GPU", "loop=device; provider:a=b"),
                ("external:transformers", "cpu", null, null),
                ("external:transformers", "cuda", "A second GPU", null),
            ],
            cases.Select(planned => (planned.Key.Engine, planned.Key.Provider, planned.Key.Device, planned.Key.EngineOptions))
        );
        Assert.Equal([null, "1"], cases.Take(2).Select(planned => planned.EngineOptions.Device));
    }

    [Fact]
    public void Options_that_change_what_is_measured_are_in_the_key_and_the_name()
    {
        PlannedCase usual = Only(s_tiny);
        PlannedCase none = Only(s_tiny with { Optimization = OptimizationLevel.None });
        PlannedCase both = Only(
            s_tiny with
            {
                Optimization = OptimizationLevel.None,
                SessionEntries = new Dictionary<string, string> { ["b"] = "1", ["a"] = "2" },
            }
        );

        Assert.Null(usual.Key.EngineOptions);
        Assert.Equal("graph_optimization=none", none.Key.EngineOptions);
        Assert.Equal("graph_optimization=none; session:a=2; session:b=1", both.Key.EngineOptions);
        Assert.Equal(3, new[] { usual, none, both }.Select(planned => planned.CaseId).Distinct().Count());
        Assert.Contains(usual.Key.BuildConfiguration, new[] { "Release", "Debug" });
    }

    [Theory]
    [InlineData(ExecutionProvider.Cpu, null, null)]
    [InlineData(ExecutionProvider.Cpu, DecodeLoop.Host, null)]
    [InlineData(ExecutionProvider.Cpu, DecodeLoop.Device, "loop=device")]
    [InlineData(ExecutionProvider.Cuda, null, "loop=device")]
    [InlineData(ExecutionProvider.Cuda, DecodeLoop.Host, null)]
    [InlineData(ExecutionProvider.Xpu, null, null)]
    public void The_loop_that_runs_is_part_of_the_case(ExecutionProvider provider, DecodeLoop? loop, string? expected) =>
        Assert.Equal(expected, Only(s_tiny with { Providers = [provider], Loop = loop }).Key.EngineOptions);

    [Fact]
    public void Options_of_a_program_are_in_the_key()
    {
        PlannedCase planned = Only(
            s_tiny with
            {
                Engines = ["external:transformers"],
                PeerOptions = new Dictionary<string, string> { ["weights"] = "gptq" },
            }
        );

        Assert.Equal("peer:weights=gptq", planned.Key.EngineOptions);
    }

    [Theory]
    [InlineData("ort")]
    [InlineData("external:openvino")]
    public void A_folder_is_called_after_its_model_by_whoever_measures_it(string engine)
    {
        string folder = Path.Combine(_folder, "some-folder");
        ModelBuilder.Build(
            new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Int4 },
            folder,
            cancellationToken: TestContext.Current.CancellationToken
        );

        PlannedCase planned = Only(s_tiny with { Models = [folder], Engines = [engine] });

        Assert.Equal("llama-tiny", planned.Key.ModelName);
    }

    [Fact]
    public void Two_programs_of_one_file_name_are_two_engines()
    {
        string[] programs =
        [
            .. new[] { "one", "two" }.Select(name =>
                Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, name)).FullName, "peer.py")
            ),
        ];
        Array.ForEach(programs, program => File.WriteAllText(program, ""));

        IReadOnlyList<PlannedCase> both = Plan(s_tiny with { Engines = [.. programs.Select(program => $"external:{program}")] });

        Assert.Equal(2, both.Select(planned => planned.Key.Engine).Distinct().Count());
        Assert.All(both, planned => Assert.StartsWith("external:peer-", planned.Key.Engine, StringComparison.Ordinal));
        Assert.Equal("external:peer", Only(s_tiny with { Engines = [$"external:{programs[0]}"] }).Key.Engine);
    }

    [Fact]
    public void A_skipped_case_of_somebodys_weights_says_real()
    {
        string checkpoint = CheckpointFolder.WriteReal(Path.Combine(_folder, "checkpoint"));

        IReadOnlyList<PlannedCase> cases = Plan(
            s_tiny with
            {
                Models = [checkpoint, "llama-tiny"],
                Engines = ["ort", "external:transformers", "llama-bench"],
                Providers = [ExecutionProvider.Mps],
                LlamaBench = "/no/llama-bench",
            }
        );

        Assert.All(cases, planned => Assert.NotNull(planned.SkipReason));
        Assert.Equal(["real", "synthetic", "real", "synthetic", "real", "synthetic"], cases.Select(planned => planned.Key.Weights));
    }

    [Fact]
    public void A_shapes_file_is_named_after_itself()
    {
        string shape = Path.Combine(_folder, "my-shape.json");
        File.Copy(Path.Combine(Fixtures.Root, "src", "Llama3Perf.Models", "Shapes", "llama-tiny.json"), shape);

        Assert.StartsWith("my-shape", Only(s_tiny with { Models = [shape] }).Key.ModelName, StringComparison.Ordinal);
        Assert.StartsWith(
            "my-shape",
            Only(s_tiny with { Models = [shape], Providers = [ExecutionProvider.Mps] }).Key.ModelName,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_engine_without_a_tokenizer_has_prompts_as_long_as_the_others()
    {
        IReadOnlyList<PlannedCase> beside = Plan(
            s_tiny with
            {
                Engines = ["ort", "llama-bench"],
                Prompts = ["OpenVINO is", "pp8"],
                LlamaBench = "/no/llama-bench",
            }
        );
        IReadOnlyList<PlannedCase> alone = Plan(
            s_tiny with
            {
                Engines = ["llama-bench"],
                Prompts = ["OpenVINO is", "pp8"],
                LlamaBench = "/no/llama-bench",
            }
        );

        // Two prompts of one length are one to it.
        Assert.Equal([8, 8], beside.Where(planned => planned.Key.Engine == "ort").Select(planned => planned.Key.PromptTokens!.Value));
        PlannedCase same = Assert.Single(beside, planned => planned.Key.Engine == "llama-bench");
        Assert.Equal(("pp8", null, "none", 8), (same.Key.PromptId, same.Key.PromptSha256, same.Key.ChatTemplate, same.Key.PromptTokens));
        Assert.Equal([null, 8], alone.Select(planned => planned.Key.PromptTokens));
    }

    private static PlannedCase Only(SuiteOptions options) => Only(options, memory: long.MaxValue);

    private static PlannedCase Only(SuiteOptions options, long? memory) => Assert.Single(Plan(options, memory));

    private static IReadOnlyList<PlannedCase> Plan(SuiteOptions options) => Plan(options, memory: long.MaxValue);

    private static IReadOnlyList<PlannedCase> Plan(SuiteOptions options, long? memory)
    {
        PlanContext context = new(options, s_machine, new ModelPreparation(Workspace.Models)) { AvailableMemory = () => memory };
        return new CasePlanner(context).Plan(EngineFamilies.Choose(context));
    }
}
