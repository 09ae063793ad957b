using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Tests.Planning;

public sealed class EngineSettingsTests
{
    [Fact]
    public void An_option_with_an_engines_name_is_that_engines_alone_and_wins()
    {
        SuiteOptions options = new()
        {
            ProviderOptions = new Dictionary<string, string> { ["genai:enable_cuda_graph"] = "1", ["use_tf32"] = "0" },
            SessionEntries = new Dictionary<string, string> { ["ort:a.b"] = "2", ["a.b"] = "1" },
        };
        PlanContext context = new(options, new MachineInfo(), new ModelPreparation("models"));

        Assert.Equal(
            "provider:enable_cuda_graph=1; provider:use_tf32=0; session:a.b=1",
            OptionsText.Of(context.EngineOptions("genai", ExecutionProvider.Cuda))
        );
        Assert.Equal(
            "loop=device; provider:use_tf32=0; session:a.b=2",
            OptionsText.Of(context.EngineOptions("ort", ExecutionProvider.Cuda))
        );
        Assert.Equal("session:a.b=2", OptionsText.Of(context.EngineOptions("ort", ExecutionProvider.Cpu)));
    }
}
