using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>Engines that cannot run here: why, in the words of the plan.</summary>
[Collection(nameof(CliSession))]
public sealed class EngineChoiceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-engines-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("ONNX Runtime has no provider 'xpu'", "--engine", "ort", "--provider", "xpu")]
    [InlineData("mps", "--engine", "ort", "--provider", "mps")]
    [InlineData("it is a device of OpenVINO, for external:openvino", "--engine", "ort", "--provider", "npu")]
    [InlineData("external:transformers runs on cuda, xpu, mps, cpu, not on npu", "--engine", "external:transformers", "--provider", "npu")]
    [InlineData(
        "ort has no bf16; external:transformers and external:ipex-llm have it",
        "--engine",
        "ort",
        "--provider",
        "cpu",
        "--precision",
        "bf16"
    )]
    [InlineData("external:openvino on npu has no bf16", "--engine", "external:openvino", "--provider", "npu", "--precision", "bf16")]
    [InlineData("external:torch-directml runs on dml, not on cpu", "--engine", "external:torch-directml", "--provider", "cpu")]
    [InlineData(
        "/no/python does not run as Python; name another one with --python or LLAMA3PERF_PYTHON",
        "--engine",
        "external:transformers",
        "--provider",
        "cpu",
        "--python",
        "/no/python"
    )]
    public void A_place_where_it_cannot_run_is_a_skipped_row_with_the_reason(string reason, params string[] arguments)
    {
        string checkpoint = CheckpointFolder.Write(Path.Combine(_folder, "checkpoint"));
        string run = Path.Combine(_folder, "run");

        (int exitCode, string output, string error) = CliSession.Run([
            "run",
            "--quick",
            "--isolation",
            "none",
            "--model",
            checkpoint,
            "--prompt",
            "pp8",
            "--output",
            run,
            .. arguments,
        ]);

        Assert.Equal("", error);
        Assert.Equal(ExitCode.Input, exitCode);
        CaseOutcome outcome = RunReader.Read(run).Single().Cases.Single();
        Assert.Equal(CaseStatus.Skipped, outcome.Status);
        Assert.Contains(reason, outcome.Error, StringComparison.Ordinal);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    /// <summary>Wrong names, and what is said instead; docs/options.md holds the names themselves.</summary>
    public static TheoryData<string, string> UnknownNames =>
        new()
        {
            { "vllm", $"{string.Join(", ", EngineFamilies.Names)}, or external: and the path or command of a program" },
            { "external:transfomers", $"use {string.Join(", ", PeerCatalog.Names)}, or external: and the path or command" },
            { "external:no-such-program --flag", "or external: and the path or command of a program that speaks the peer protocol" },
        };

    [Theory]
    [MemberData(nameof(UnknownNames))]
    public void An_unknown_name_lists_what_there_is(string name, string list)
    {
        (int exitCode, _, string error) = CliSession.Run("run", "--engine", name, "--output", Path.Combine(_folder, "run"));

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains($"--engine: '{name}' is unknown; use ", error, StringComparison.Ordinal);
        Assert.Contains(list, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }
}
