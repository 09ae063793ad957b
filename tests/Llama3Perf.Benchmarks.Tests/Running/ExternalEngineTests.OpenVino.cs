using System.Diagnostics;
using System.Text.Json.Nodes;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

// What OpenVINO is given to load, on a stub of its modules.
public sealed partial class ExternalEngineTests
{
    [Fact]
    public void OpenVino_is_given_the_file_beside_the_model_that_the_others_measure()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in for an environment is a shell script");
        string gguf = At("model.gguf");
        string tests = Path.Combine(Fixtures.Root, "tests", "peers");
        string write =
            "from gguf_file import *; import sys; "
            + "write_gguf(sys.argv[1], {**STUB_KEYS, 'tokenizer.ggml.tokens': ['t'] * 128256}, STUB_TENSORS)";
        using (
            Process writer = Process.Start(
                PythonProgram.Find().Python!.Path,
                ["-B", "-c", $"import sys; sys.path.insert(0, '{tests}'); {write}", gguf]
            )
        )
        {
            writer.WaitForExit();
        }

        string[] common =
        [
            .. "--engine external:openvino --precision fp16 --provider cpu --verify off --python".Split(' '),
            $"openvino={StubPython()}",
            "--prompt",
            "OpenVINO is",
            "--model",
            CheckpointFolder.Write(At("checkpoint")),
        ];
        Run([.. common, "--gguf", At("none.gguf")]);
        Assert.Equal($"the file {At("none.gguf")} is not there", Outcomes().Single().Error);

        (int exitCode, _, string error) = Run([.. common, "--gguf", gguf]);

        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        CaseOutcome outcome = Outcomes().Single();
        Assert.Equal((CaseStatus.Ok, "fp16"), (outcome.Status, outcome.Case.Precision));
        Assert.Contains("openvino-genai 2026.4.1.0", outcome.Case.EngineVersions, StringComparison.Ordinal);
        Assert.Contains("ATTENTION_BACKEND PA", string.Join(' ', outcome.Notes), StringComparison.Ordinal);
        // The stand-in's tokenizer takes bytes.
        Assert.Contains(
            "its own tokenizer makes 11 tokens of the prompt's text, the suite ",
            string.Join(' ', outcome.Notes),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(false, "int4")]
    [InlineData(true, "fp16")]
    public void OpenVino_is_given_a_file_of_the_same_numbers_where_there_is_none(bool isCheckpoint, string precision)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in for an environment is a shell script");
        string path = CheckpointFolder.Write(At("checkpoint"));
        // OpenVINO reads no scaled rotary embedding.
        CheckpointFolder.ChangeConfig(path, Unscaled);
        if (!isCheckpoint)
        {
            // A config.json alone is a shape.
            Directory.CreateDirectory(At("shape"));
            File.Copy(Path.Combine(path, "config.json"), Path.Combine(At("shape"), "config.json"));
            path = Path.Combine(At("shape"), "config.json");
        }

        (_, string output, _) = Run([
            .. $"--engine ort,external:openvino --precision {precision} --provider cpu --prompt pp16 --python".Split(' '),
            $"openvino={StubPython()}",
            "--model",
            path,
        ]);

        CaseOutcome theirs = Outcomes().Single(outcome => outcome.Case.Engine == "external:openvino");
        CaseOutcome ours = Outcomes().Single(outcome => outcome.Case.Engine == "ort");
        Assert.Equal(CaseStatus.Ok, ours.Status);
        Assert.Equal(
            (ours.Case.ModelName, ours.Case.Precision, ours.Case.BlockSize, ours.Case.HiddenSize, ours.Case.PromptSha256),
            (theirs.Case.ModelName, theirs.Case.Precision, theirs.Case.BlockSize, theirs.Case.HiddenSize, theirs.Case.PromptSha256)
        );
        // The stand-in's tokens are arithmetic: it got as far as to generate them, from a file of its own hash.
        Assert.Matches("^verification failed: 'pp(15|64)': token ", theirs.Error);
        Assert.Matches("^[0-9a-f]{64}$", theirs.Case.ModelSha256);
        Assert.NotEqual(ours.Case.ModelSha256, theirs.Case.ModelSha256);
        Assert.Contains("Verification failed: ", output, StringComparison.Ordinal);
        string log = File.ReadAllText(At("log"));
        Assert.Contains(".gguf", log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "checkpoint",
        "does not read the scaled rotary embedding of a GGUF file (rope_freqs.weight: Llama 3.1 and 3.2); give it an "
    )]
    [InlineData("folder", "does not read the scaled rotary embedding of a GGUF file (rope_freqs.weight: Llama 3.1 and 3.2); give it an ")]
    [InlineData("fp32", "does not read F32 matrices of a GGUF file; take fp16, or give it an OpenVINO folder")]
    [InlineData("heads", "takes heads of a GGUF file to be 256 / 8 wide, and these are 64; give it an OpenVINO folder")]
    public void OpenVino_is_given_no_file_that_it_would_compute_wrongly(string kind, string reason)
    {
        string path = CheckpointFolder.Write(At("checkpoint"));
        string precision = kind == "fp32" ? "fp32" : "fp16";
        if (kind == "fp32")
        {
            CheckpointFolder.ChangeConfig(path, Unscaled);
        }
        else if (kind == "heads")
        {
            // A config.json alone is a shape.
            CheckpointFolder.ChangeConfig(path, json => json["head_dim"] = 64);
            CheckpointFolder.ChangeConfig(path, Unscaled);
            File.Copy(Path.Combine(path, "config.json"), At("config.json"));
            path = At("config.json");
        }
        else if (kind == "folder")
        {
            path = ModelBuilder
                .Build(
                    new ModelBuildOptions { Model = path, Precision = Precision.Fp16 },
                    At("folder"),
                    cancellationToken: TestContext.Current.CancellationToken
                )
                .Path;
        }

        Run([
            .. $"--engine external:openvino --precision {precision} --provider cpu --prompt pp16 --python".Split(' '),
            $"openvino={StubPython()}",
            "--model",
            path,
        ]);

        CaseOutcome outcome = Outcomes().Single();
        Assert.Equal(CaseStatus.Skipped, outcome.Status);
        Assert.Contains($"external:openvino {reason}", outcome.Error, StringComparison.Ordinal);
    }

    private static void Unscaled(JsonObject json)
    {
        json.Remove("rope_scaling");
        json["rope_parameters"] = new JsonObject { ["rope_theta"] = 500000.0, ["rope_type"] = "default" };
    }

    private string StubPython()
    {
        string python = At("python");
        string stubs = Path.Combine(Fixtures.Root, "tests", "peers", "stubs");
        string program = PythonProgram.Find().Python!.Path;
        File.WriteAllText(python, $"#!/bin/sh\nSTUB_LOG='{At("log")}' PYTHONPATH='{stubs}' exec '{program}' \"$@\"\n");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs sh");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(python, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return python;
    }
}
