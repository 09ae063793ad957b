using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.ScriptedGenAi.Tests;

/// <summary>What the engine refuses before the library would compute it wrongly or ignore it, and what is there.</summary>
[Collection(FakeGenAi.Collection)]
public sealed class FakeGenAiRefusalTests : FakeGenAiTest
{
    [Fact]
    public void Graphs_of_the_other_family_are_refused_with_the_reason()
    {
        ModelFolder directML = FakeGenAi.Folder with { Family = GraphFamily.DirectML };
        Assert.Contains(
            "is a DirectML graph: run it with --provider dml",
            Refused(directML, new EngineOptions { Provider = ExecutionProvider.Cuda }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "is not a DirectML graph",
            Refused(FakeGenAi.Folder, new EngineOptions { Provider = ExecutionProvider.Dml }),
            StringComparison.Ordinal
        );
        Assert.Empty(Fake.Log);
    }

    [Fact]
    public void What_the_library_would_accept_and_ignore_is_refused()
    {
        Dictionary<string, string> capture = new() { ["enable_graph_capture"] = "0" };
        Dictionary<string, string> entry = new() { ["ep.dml.enable_graph_capture"] = "0" };
        foreach (
            EngineOptions options in (EngineOptions[])
                [
                    new() { Provider = ExecutionProvider.Dml, ProviderOptions = capture },
                    new() { Provider = ExecutionProvider.Dml, SessionEntries = entry },
                ]
        )
        {
            Assert.Contains(
                "captures its graph on DirectML whatever this says",
                Refused(FakeGenAi.Folder, options),
                StringComparison.Ordinal
            );
        }

        Assert.Equal(
            "the CPU provider takes no provider options",
            Refused(FakeGenAi.Folder, new EngineOptions { ProviderOptions = capture })
        );
        Assert.Empty(Fake.Log);
    }

    [Fact]
    public void A_library_without_speculative_decoding_is_named_with_what_it_lacks() =>
        Assert.EndsWith(
            "has no OgaGeneratorParamsSetSpeculativeNumber: speculative decoding came with onnxruntime-genai 0.18",
            Refused(FakeGenAi.Folder, new EngineOptions { Speculation = new Speculation(4) { NgramSize = 3 } }),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_device_that_cannot_be_chosen_is_refused()
    {
        Assert.Equal(
            "genai cannot choose a device on Cpu: leave --device out",
            Refused(FakeGenAi.Folder, new EngineOptions { Device = "0" })
        );
        Assert.Equal(
            "genai cannot choose a device on WebGpu: leave --device out",
            Refused(FakeGenAi.Folder, new EngineOptions { Provider = ExecutionProvider.WebGpu, Device = "0" })
        );
        Assert.StartsWith(
            "genai takes the adapter's index, and 'Arc' is none",
            Refused(FakeGenAi.Folder, new EngineOptions { Provider = ExecutionProvider.Cuda, Device = "Arc" }),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_process_has_one_DirectML_adapter()
    {
        GenAiRuntime.Adapter.Take(GenAiConfig.DirectMLDevice(new EngineOptions { Device = "0", Provider = ExecutionProvider.Dml }));
        GenAiRuntime.Adapter.Take(GenAiConfig.DirectMLDevice(new EngineOptions { Device = "0", Provider = ExecutionProvider.Dml }));
        foreach (
            EngineOptions other in new EngineOptions[]
            {
                new() { Device = "1", Provider = ExecutionProvider.Dml },
                new()
                {
                    ProviderOptions = new Dictionary<string, string> { ["luid"] = "0:77" },
                    Provider = ExecutionProvider.Dml,
                },
                new() { Provider = ExecutionProvider.Dml },
            }
        )
        {
            EngineException e = Assert.Throws<EngineException>(() => GenAiRuntime.Adapter.Take(GenAiConfig.DirectMLDevice(other)));
            Assert.StartsWith(
                "onnxruntime-genai runs DirectML on adapter 0 in this process and cannot use",
                e.Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void CUDAs_part_of_the_library_is_looked_for_beside_it()
    {
        string folder = Directory.CreateTempSubdirectory("l3p-add-on-").FullName;
        string library = Path.Combine(folder, "libonnxruntime-genai.so");
        string addOn = Path.Combine(folder, NativeLibraries.FileName("onnxruntime-genai-cuda"));

        Assert.StartsWith(
            $"genai needs {addOn} for CUDA, which is not there",
            GenAiRuntime.AddOnProblem(ExecutionProvider.Cuda, library),
            StringComparison.Ordinal
        );
        Assert.Null(GenAiRuntime.AddOnProblem(ExecutionProvider.Dml, library));
        File.WriteAllText(addOn, "");
        Assert.Null(GenAiRuntime.AddOnProblem(ExecutionProvider.Cuda, library));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Availability_says_what_it_looked_for_and_where()
    {
        Assert.True(GenAiRuntime.Kind.Availability(ExecutionProvider.Cpu).IsAvailable);
        Availability dml = GenAiRuntime.Kind.Availability(ExecutionProvider.Dml);
        Assert.SkipWhen(dml.IsAvailable || NativeLibraries.PackagedSet == "DirectML", "this ONNX Runtime has DirectML");
        Assert.StartsWith("no DmlExecutionProvider in ", dml.Reason, StringComparison.Ordinal);
        Assert.Contains("CPUExecutionProvider", dml.Reason, StringComparison.Ordinal);
    }

    private static string Refused(ModelFolder folder, EngineOptions options) =>
        Assert.Throws<EngineException>(() => GenAiRuntime.Kind.Load(folder, options)).Message;
}
