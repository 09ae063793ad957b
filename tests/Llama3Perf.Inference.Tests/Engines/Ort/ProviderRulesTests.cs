using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>What is refused before anything native is called, so that it is refused on every machine.</summary>
public sealed class ProviderRulesTests
{
    [Theory]
    [InlineData(GraphFamily.DirectML, ExecutionProvider.Cuda, "is a DirectML graph")]
    [InlineData(GraphFamily.DirectML, ExecutionProvider.WebGpu, "is a DirectML graph")]
    [InlineData(GraphFamily.Standard, ExecutionProvider.Dml, "is not a DirectML graph")]
    public void A_graph_that_the_provider_computes_wrongly(GraphFamily family, ExecutionProvider provider, string reason) =>
        Assert.Contains(reason, Refusal(family, new EngineOptions { Provider = provider }), StringComparison.Ordinal);

    [Theory]
    [InlineData(GraphFamily.DirectML)]
    [InlineData(GraphFamily.Standard)]
    public void The_cpu_takes_either_form(GraphFamily family) => ProviderRules.Check(Folder(family), new EngineOptions());

    [Theory]
    [InlineData(ExecutionProvider.Cpu)]
    [InlineData(ExecutionProvider.Cuda)]
    [InlineData(ExecutionProvider.Dml)]
    [InlineData(ExecutionProvider.WebGpu)]
    public void Either_loop_runs_everywhere(ExecutionProvider provider)
    {
        EngineOptions options = new() { Provider = provider };

        ProviderRules.Check(Folder(Family(provider)), options with { Loop = DecodeLoop.Host });
        ProviderRules.Check(Folder(Family(provider)), options with { Loop = DecodeLoop.Device });
    }

    [Theory]
    [InlineData(ExecutionProvider.Cuda, "enable_cuda_graph")]
    [InlineData(ExecutionProvider.Dml, "ep.dml.enable_graph_capture")]
    [InlineData(ExecutionProvider.WebGpu, "enableGraphCapture")]
    [InlineData(ExecutionProvider.WebGpu, "ep.webgpuexecutionprovider.enableGraphCapture")]
    public void Graph_capture_is_the_device_loops(ExecutionProvider provider, string key)
    {
        Dictionary<string, string> capture = new() { [key] = "true" };
        EngineOptions asProvider = new() { Provider = provider, ProviderOptions = capture };
        EngineOptions asSession = new() { Provider = provider, SessionEntries = capture };
        foreach (EngineOptions options in (EngineOptions[])[asProvider, asSession])
        {
            ProviderRules.Check(Folder(Family(provider)), options);
            Assert.Contains(key, Refusal(Family(provider), options with { Loop = DecodeLoop.Host }), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(ExecutionProvider.Dml, "ep.dml.enable_graph_capture", "0")]
    [InlineData(ExecutionProvider.WebGpu, "enableGraphCapture", "False")]
    public void Graph_capture_that_is_off_passes(ExecutionProvider provider, string key, string value) =>
        ProviderRules.Check(
            Folder(Family(provider)),
            new EngineOptions
            {
                Provider = provider,
                ProviderOptions = new Dictionary<string, string> { [key] = value },
            }
        );

    [Theory]
    [InlineData(ExecutionProvider.Cpu, "0", "takes no device")]
    [InlineData(ExecutionProvider.WebGpu, "0", "cannot choose an adapter")]
    [InlineData(ExecutionProvider.Cuda, "-1", "'-1' is none")]
    [InlineData(ExecutionProvider.Dml, "Arc", "'Arc' is none")]
    public void A_device_that_cannot_be_taken(ExecutionProvider provider, string device, string reason) =>
        Assert.Contains(
            reason,
            Refusal(Family(provider), new EngineOptions { Provider = provider, Device = device }),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_device_that_contradicts_the_providers_option()
    {
        EngineOptions options = new()
        {
            Provider = ExecutionProvider.Cuda,
            Device = "0",
            ProviderOptions = new Dictionary<string, string> { ["device_id"] = "1" },
        };

        Assert.Contains("contradicts", Refusal(GraphFamily.Standard, options), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_for_the_cpu_provider() =>
        Assert.Contains(
            "no provider options",
            Refusal(GraphFamily.Standard, new EngineOptions { ProviderOptions = new Dictionary<string, string> { ["a"] = "b" } }),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(ExecutionProvider.Dml, null, "1", false)]
    [InlineData(ExecutionProvider.Dml, null, "0", true)]
    [InlineData(ExecutionProvider.Dml, DecodeLoop.Host, "1", true)]
    [InlineData(ExecutionProvider.Cuda, DecodeLoop.Host, "0", false)]
    [InlineData(ExecutionProvider.WebGpu, null, "0", false)]
    public void Figures_of_directml_without_capture_carry_a_warning(
        ExecutionProvider provider,
        DecodeLoop? loop,
        string capture,
        bool warned
    )
    {
        OrtProvider row = OrtProvider.Of(provider)!;
        EngineOptions options = new()
        {
            Provider = provider,
            Loop = loop,
            SessionEntries = new Dictionary<string, string> { ["ep.dml.enable_graph_capture"] = capture },
        };
        string? caution = row.Caution(row.CapturesWith(options));

        Assert.Equal(warned, caution is not null);
        Assert.True(!warned || caution!.Contains("no measure of DirectML's speed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_second_directml_adapter_in_the_process()
    {
        // As if this machine had DirectML: the first load takes its adapter and then fails in ONNX Runtime, which has no such one.
        SingleAdapter adapter = new("ort");
        Assert.DoesNotContain("in this process", Loaded("17"), StringComparison.Ordinal);
        Assert.DoesNotContain("in this process", Loaded("17"), StringComparison.Ordinal);

        Assert.StartsWith(
            "ort runs DirectML on adapter 17 in this process and cannot use adapter 18 beside it",
            Loaded("18"),
            StringComparison.Ordinal
        );

        string Loaded(string device) =>
            Assert
                .Throws<EngineException>(() =>
                    OrtSession.Load(
                        Folder(GraphFamily.DirectML),
                        new EngineOptions
                        {
                            Provider = ExecutionProvider.Dml,
                            Device = device,
                            Loop = DecodeLoop.Host,
                        },
                        _ => Availability.Yes,
                        adapter
                    )
                )
                .Message;
    }

    private static GraphFamily Family(ExecutionProvider provider) =>
        provider == ExecutionProvider.Dml ? GraphFamily.DirectML : GraphFamily.Standard;

    private static string Refusal(GraphFamily family, EngineOptions options) =>
        Assert.Throws<EngineException>(() => ProviderRules.Check(Folder(family), options)).Message;

    private static ModelFolder Folder(GraphFamily family) =>
        new()
        {
            Path = "/models/some",
            Name = "some",
            GraphPath = "/models/some/model.onnx",
            IsSynthetic = true,
            Precision = Precision.Int4,
            BlockSize = 32,
            Family = family,
            ContextLength = 128,
            VocabularySize = 1024,
            HiddenSize = 256,
            LayerCount = 2,
            HeadCount = 8,
            KeyValueHeadCount = 2,
            HeadSize = 32,
            BosTokenId = null,
            EosTokenIds = [],
            Names = new DecoderNames(),
            WeightBytes = 1,
        };
}
