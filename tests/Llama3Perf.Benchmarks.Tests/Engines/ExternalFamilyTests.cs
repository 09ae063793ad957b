using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Benchmarks.Tests.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Tests.Engines;

/// <summary>What external programs are asked for; none of them is started with a model.</summary>
[Collection(nameof(CliSession))]
public sealed class ExternalFamilyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-external-").FullName;

    public ExternalFamilyTests() => Assert.SkipWhen(PythonProgram.Find().Python is null, PythonProgram.Find().Reason ?? "no Python");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void An_option_for_all_reaches_those_that_have_it()
    {
        SuiteOptions options = Options(("compile", "1"), ("ipex-llm:load_in_low_bit", "nf4"));

        Assert.Equal(
            [
                ("external:transformers", "peer:compile=1", "compile=1"),
                ("external:ipex-llm", "peer:load_in_low_bit=nf4", "load_in_low_bit=nf4"),
                ("external:torch-directml", null, ""),
                ("external:openvino", null, ""),
            ],
            PeerCatalog
                .All.Select(peer => Subject(peer.Name, peer.Devices[^1].Provider, ScriptedFamily.Context(options)))
                .Select(subject => (subject.Engine, subject.OptionsText, Text(subject.Peer!(8).Options)))
        );
    }

    [Fact]
    public void An_option_that_nobody_has_reaches_all_and_is_refused_by_each() =>
        Assert.All(
            PeerCatalog.All,
            peer =>
                Assert.Equal(
                    "colour=blue",
                    Text(Subject(peer.Name, peer.Devices[0].Provider, ScriptedFamily.Context(Options(("colour", "blue")))).Peer!(8).Options)
                )
        );

    [Theory]
    [InlineData(ExecutionProvider.Dml, null, "1", "Radeon 780M")]
    [InlineData(ExecutionProvider.Dml, "0", "0", null)]
    [InlineData(ExecutionProvider.Cpu, null, null, null)]
    public void The_adapter_that_was_chosen_goes_to_the_program_by_number_and_by_name(
        ExecutionProvider provider,
        string? given,
        string? number,
        string? name
    )
    {
        SuiteOptions options = Options(given is null ? [] : [("device_index", given)]) with { Device = "radeon" };
        MachineInfo machine = new()
        {
            Gpus = [new GpuInfo { Index = 0, Name = "GeForce" }, new GpuInfo { Index = 1, Name = "Radeon 780M" }],
        };
        PlanContext context = new(options, machine, new ModelPreparation(_folder));

        PeerOptions peer = Subject(
            provider == ExecutionProvider.Cpu ? "external:transformers" : "external:torch-directml",
            provider,
            context
        )
            .Peer!(8);

        Assert.Equal((number, name), (peer.Options.GetValueOrDefault("device_index"), peer.DeviceName));
    }

    [Fact]
    public void What_a_program_quantizes_itself_is_not_our_weights()
    {
        PlanContext context = ScriptedFamily.Context(Options() with { Precisions = [Precision.Int4, Precision.Bf16], DryRun = true });

        Assert.Equal(
            [("int4", true), ("bf16", false)],
            new ExternalFamily()
                .Subjects("external:ipex-llm", ExecutionProvider.Cpu, Checkpoint(), context)
                .Select(subject => (subject.Precision, subject.HasOwnNumbers))
        );
    }

    private static SuiteOptions Options(params (string Key, string Value)[] peerOptions) =>
        new() { PeerOptions = peerOptions.ToDictionary(option => option.Key, option => option.Value) };

    private static string Text(IReadOnlyDictionary<string, string> options) =>
        string.Join(' ', options.Select(option => $"{option.Key}={option.Value}"));

    private CaseSubject Subject(string engine, ExecutionProvider provider, PlanContext context) =>
        new ExternalFamily().Subjects(engine, provider, Checkpoint(), context).First();

    private string Checkpoint() =>
        Directory.Exists(Path.Combine(_folder, "checkpoint"))
            ? Path.Combine(_folder, "checkpoint")
            : CheckpointFolder.Write(Path.Combine(_folder, "checkpoint"));
}
