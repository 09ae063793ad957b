using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>What the options and the machine mean for an engine at a place.</summary>
public sealed class PlanContextTests : IDisposable
{
    private const string Intel = "0x8086";

    private static readonly MachineInfo s_machine = new()
    {
        Gpus =
        [
            new GpuInfo
            {
                Index = 0,
                Name = "Arc one",
                VendorId = Intel,
            },
            new GpuInfo
            {
                Index = 1,
                Name = "GeForce",
                VendorId = "0x10de",
            },
            new GpuInfo
            {
                Index = 2,
                Name = "Arc two",
                VendorId = Intel,
            },
        ],
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-context-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("two", ExecutionProvider.Xpu, 1)]
    [InlineData("one", ExecutionProvider.Xpu, 0)]
    [InlineData("GeForce", ExecutionProvider.Xpu, 1)]
    [InlineData("two", ExecutionProvider.Dml, 2)]
    [InlineData("GeForce", ExecutionProvider.Cuda, 1)]
    [InlineData("two", ExecutionProvider.Cpu, null)]
    [InlineData("two", ExecutionProvider.Npu, null)]
    [InlineData(null, ExecutionProvider.Cuda, null)]
    public void Each_provider_counts_adapters_in_its_own_way(string? device, ExecutionProvider provider, int? index) =>
        Assert.Equal(index, Context(new SuiteOptions { Device = device }).DeviceIndex(provider));

    [Theory]
    [InlineData(3, ExecutionProvider.Cpu, 3)]
    [InlineData(3, ExecutionProvider.Cuda, 3)]
    [InlineData(null, ExecutionProvider.Cuda, null)]
    public void Threads_are_those_that_were_asked_for(int? asked, ExecutionProvider provider, int? threads) =>
        Assert.Equal(threads, Context(new SuiteOptions { Threads = asked }).EngineOptions("ort", provider).Threads);

    [Fact]
    public void Where_none_were_asked_for_the_CPU_takes_one_for_each_core()
    {
        PlanContext context = Context(new SuiteOptions());

        Assert.Equal(PhysicalCores.Count, context.CpuThreads);
        Assert.Equal(PhysicalCores.Count, context.EngineOptions("ort", ExecutionProvider.Cpu).Threads);
        Assert.Equal(5, Context(new SuiteOptions { Threads = 5 }).CpuThreads);
    }

    [Fact]
    public void An_option_of_one_runtime_is_no_part_of_anothers_case()
    {
        PlanContext context = Context(
            new SuiteOptions
            {
                KeyValueType = KeyValueType.F32,
                FlashAttention = FlashAttention.On,
                Optimization = OptimizationLevel.None,
                Spin = "off",
                ProviderOptions = new Dictionary<string, string> { ["a"] = "b" },
            }
        );

        Assert.Equal("flash_attention=on; kv_type=f32", OptionsText.Of(context.EngineOptions("llama.cpp", ExecutionProvider.Cuda)));
        Assert.Equal(
            "graph_optimization=none; loop=device; provider:a=b; session:session.intra_op.allow_spinning=0",
            OptionsText.Of(context.EngineOptions("ort", ExecutionProvider.Cuda))
        );
    }

    [Theory]
    [InlineData(KeyValueType.Int8, "kv_type=int8")]
    [InlineData(KeyValueType.Int4, "kv_type=int4")]
    public void A_cache_of_integers_is_part_of_every_engines_case(KeyValueType type, string expected)
    {
        PlanContext context = Context(new SuiteOptions { KeyValueType = type });

        Assert.Equal(expected, OptionsText.Of(context.EngineOptions("llama.cpp", ExecutionProvider.Cpu)));
        Assert.Equal(expected, OptionsText.Of(context.EngineOptions("ort", ExecutionProvider.Cpu)));
        Assert.Equal(expected, OptionsText.Of(context.EngineOptions("genai", ExecutionProvider.Cpu)));
    }

    [Fact]
    public void What_an_engine_takes_from_the_folder_is_part_of_the_case() =>
        Assert.Equal(
            "folder:enable_cuda_graph=1; provider:a=b",
            OptionsText.Of(
                new EngineOptions { ProviderOptions = new Dictionary<string, string> { ["a"] = "b" } },
                new Dictionary<string, string> { ["enable_cuda_graph"] = "1" }
            )
        );

    [Fact]
    public void A_provider_library_is_part_of_its_own_cases_alone()
    {
        PlanContext context = new(new SuiteOptions(), s_machine, new ModelPreparation(_folder)) { ProviderLibrary = () => "OpenVINO 1.2" };

        Assert.Equal("OpenVINO 1.2", context.EngineOptions("ort", ExecutionProvider.Plugin).ProviderLibrary);
        Assert.Null(context.EngineOptions("ort", ExecutionProvider.Cpu).ProviderLibrary);
        Assert.Null(Context(new SuiteOptions()).EngineOptions("ort", ExecutionProvider.Plugin).ProviderLibrary);
    }

    [Fact]
    public void A_model_that_fills_the_memory_exactly_fits()
    {
        PlanContext context = new(new SuiteOptions(), s_machine, new ModelPreparation(_folder)) { AvailableMemory = () => 2_000_000_000 };

        Assert.Null(context.TooLarge(2e9));
        Assert.Equal("the model needs about 2.1 GB of memory and 2.0 GB are free", context.TooLarge(2.1e9));
    }

    [Fact]
    public void A_folder_and_a_checkpoint_have_a_tokenizer_that_is_opened_once()
    {
        PlanContext context = Context(new SuiteOptions());
        string checkpoint = CheckpointFolder.Write(Path.Combine(_folder, "checkpoint"));

        PromptTokenizer? ofFolder = context.TokenizerOf(ScriptedFamily.TinyFolder.Path);

        Assert.Equal(ScriptedFamily.TinyFolder.Path, ofFolder?.Folder);
        Assert.Same(ofFolder, context.TokenizerOf(ScriptedFamily.TinyFolder.Path));
        Assert.Equal(checkpoint, context.TokenizerOf(checkpoint)?.Folder);
        Assert.Null(context.TokenizerOf("llama-tiny"));
    }

    [Fact]
    public void A_prompt_that_a_tokenizer_cannot_make_is_refused_when_it_is_opened()
    {
        PlanContext context = Context(new SuiteOptions { Prompts = ["OpenVINO is"], ChatTemplates = ["phi3"] });

        Assert.Contains(
            "the chat template phi3 writes ",
            Assert.Throws<EngineException>(() => context.TokenizerOf(ScriptedFamily.TinyFolder.Path)).Message,
            StringComparison.Ordinal
        );
        Assert.Null(context.TokenizerOf("llama-tiny"));
    }

    private PlanContext Context(SuiteOptions options) => new(options, s_machine, new ModelPreparation(_folder));
}
