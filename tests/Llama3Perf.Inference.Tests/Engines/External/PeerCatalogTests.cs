using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Engines.External;

public sealed class PeerCatalogTests
{
    [Fact]
    public void The_rows_say_where_and_how_they_run()
    {
        Assert.All(PeerCatalog.All, kind => Assert.Equal("external:" + kind.Backend, kind.Name));
        Assert.All(PeerCatalog.All, kind => Assert.Contains(kind.RequirementsFile!, kind.HowToGet, StringComparison.Ordinal));
        Assert.Equal([Precision.Fp16, Precision.Fp32], PeerCatalog.Get("external:torch-directml").PrecisionsOn(ExecutionProvider.Dml));
        Assert.Empty(PeerCatalog.Get("external:ipex-llm").PrecisionsOn(ExecutionProvider.Cuda));
    }

    [Fact]
    public void Some_offer_bf16_and_one_runs_on_an_NPU()
    {
        Assert.Equal(["external:transformers", "external:ipex-llm"], PeerCatalog.NamesWith(Precision.Bf16));
        Assert.Equal(
            ["external:openvino"],
            PeerCatalog.All.Where(kind => kind.PrecisionsOn(ExecutionProvider.Npu).Count > 0).Select(kind => kind.Name)
        );
    }

    [Fact]
    public void An_unknown_name_lists_the_known_ones()
    {
        string message = Peers.Refused(() => PeerCatalog.Get("external:transfomers"));

        Assert.StartsWith("'external:transfomers' is unknown; use external:transformers, ", message, StringComparison.Ordinal);
        Assert.Throws<EngineException>(() => PeerCatalog.Get("external:"));
        Assert.Throws<EngineException>(() => PeerCatalog.Get("ort"));
    }

    [Fact]
    public void Any_program_can_be_named_by_its_command()
    {
        string script = Path.Combine(Fixtures.Root, "tests", "peers", "fake_peer.py");
        PeerKind kind = PeerCatalog.Get($"external:\"{Peers.Python}\" -I \"{script}\" --mode good");

        Assert.Equal("external:fake_peer", kind.Name);
        Assert.True(PeerCatalog.Availability(kind, ExecutionProvider.Cpu).IsAvailable);
        PeerOptions options = PeerCatalog.Options(kind, ExecutionProvider.Cpu, Precision.Int4, 30);
        Assert.Equal(["-I", script, "--mode", "good"], options.Arguments);
        using ExternalGenerator generator = new(".", options);
        Assert.Equal("external:fake_peer", generator.Description.Engine);
        Assert.Equal(28, generator.Generate([1, 2], 30).NewTokens.Length);
    }

    [Fact]
    public void A_script_is_run_with_Python()
    {
        string script = Path.Combine(Fixtures.Root, "tests", "peers", "fake_peer.py");

        PeerOptions options = PeerCatalog.Options(
            PeerCatalog.Get("external:" + script),
            ExecutionProvider.Cpu,
            Precision.Fp32,
            30,
            Peers.Python
        );

        Assert.Equal(Peers.Python, options.Program);
        Assert.Equal([script], options.Arguments);
        Assert.Equal("1", options.Environment["PYTHONUTF8"]);
    }

    [Fact]
    public void Where_a_peer_cannot_run_the_reason_says_so()
    {
        PeerKind ipex = PeerCatalog.Get("external:ipex-llm");

        Assert.Equal("external:ipex-llm runs on xpu, cpu, not on cuda", PeerCatalog.Availability(ipex, ExecutionProvider.Cuda).Reason);
        Assert.Equal(
            "external:ipex-llm has no fp32 on cpu",
            Peers.Refused(() => PeerCatalog.Options(ipex, ExecutionProvider.Cpu, Precision.Fp32, 10))
        );
    }

    [Fact]
    public void Each_backend_may_have_a_Python_of_its_own()
    {
        IReadOnlyDictionary<string, string> given = PythonProgram.Given("transformers=/a/python, ipex-llm=/b=c/python,/d/python");

        Assert.Equal(("/a/python", "/b=c/python", "/d/python"), (given["transformers"], given["ipex-llm"], given[""]));
        Assert.Equal("/x=y/python", PythonProgram.Given("/x=y/python")[""]);
        Assert.Empty(PythonProgram.Given(null));
        string reason = PythonProgram.For("ipex-llm", $"transformers={Peers.Python},ipex-llm=/no/python").Reason!;
        Assert.StartsWith("/no/python does not run as Python", reason, StringComparison.Ordinal);
        Assert.Equal(Peers.Python, PythonProgram.For("transformers", $"transformers={Peers.Python},ipex-llm=/no/python").Python!.Path);
    }

    [Fact]
    public void A_Python_that_does_not_run_is_named()
    {
        Assert.Equal(
            "/no/python does not run as Python; name another one with --python or LLAMA3PERF_PYTHON",
            PythonProgram.Find("/no/python").Reason
        );
        Assert.Null(PythonProgram.Find("/no/python").Python);
    }

    [Fact]
    public void Modules_are_found_without_being_imported()
    {
        PythonProgram python = PythonProgram.Find(Peers.Python).Python!;

        Assert.True(python.Version >= new Version(3, 10));
        Assert.Equal(["json", "antigravity"], python.ModulesOf(["json", "no_such_module_here", "antigravity"]));
    }

    [Theory]
    [InlineData("ort", ExecutionProvider.Xpu)]
    [InlineData("ort", ExecutionProvider.Mps)]
    [InlineData("genai", ExecutionProvider.Mps)]
    [InlineData("genai", ExecutionProvider.Npu)]
    public void ONNX_Runtime_has_no_devices_of_other_frameworks(string engine, ExecutionProvider provider)
    {
        Availability availability = EngineCatalog.Get(engine).Availability(provider);

        Assert.False(availability.IsAvailable);
        Assert.StartsWith("ONNX Runtime has no provider '", availability.Reason, StringComparison.Ordinal);
    }
}
