using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>What the verbs make of a Hugging Face checkpoint.</summary>
[Collection(nameof(CliSession))]
public sealed class CheckpointVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-checkpoint-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("int4", Precision.Int4)]
    [InlineData("fp32", Precision.Fp32)]
    public void Build_converts_it_once(string name, Precision precision)
    {
        string checkpoint = CheckpointFolder.WriteReal(At("org-model"));

        (int exitCode, string output, string error) = Build(checkpoint, "--precision", name);

        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        Assert.Contains(At("model"), output, StringComparison.Ordinal);
        Assert.DoesNotContain("synthetic", output, StringComparison.Ordinal);
        var folder = ModelFolderReader.Open(At("model"));
        Assert.Equal((precision, false, 1024), (folder.Precision, folder.IsSynthetic, folder.VocabularySize));
        Assert.StartsWith("org-model", folder.Name, StringComparison.Ordinal);

        // A second build would write the graph again.
        DateTime written = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(folder.GraphPath, written);
        (exitCode, string again, error) = Build(checkpoint, "--precision", name);

        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        Assert.Equal(WithoutTimes(output), WithoutTimes(again));
        Assert.Equal(written, File.GetLastWriteTimeUtc(folder.GraphPath));
    }

    [Theory]
    [InlineData("truncated", "model-00002-of-")]
    [InlineData("missing shard", "model-00002-of-")]
    [InlineData("wrong config", "mlp.gate_proj")]
    [InlineData("not json", "config.json")]
    [InlineData("no tokenizer", "tokenizer.json")]
    public void A_broken_one_is_one_line_and_leaves_nothing(string flaw, string part)
    {
        string checkpoint = CheckpointFolder.WriteReal(At("broken"));
        Spoil(checkpoint, flaw);

        (int exitCode, string output, string error) = Build(checkpoint);

        Assert.Equal(ExitCode.Input, exitCode);
        AssertOneLine(error);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
        Assert.Equal([checkpoint], Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public void Weights_that_are_no_numbers_are_refused_unless_they_are_allowed()
    {
        string checkpoint = CheckpointFolder.WriteReal(At("nan"));
        string shard = Directory.EnumerateFiles(checkpoint, "*.safetensors").Order(StringComparer.Ordinal).First();
        byte[] bytes = File.ReadAllBytes(shard);
        bytes.AsSpan(^2).Fill(0xff);
        File.WriteAllBytes(shard, bytes);

        (int exitCode, _, string error) = Build(checkpoint, "--precision", "fp32");
        Assert.Equal(ExitCode.Input, exitCode);
        AssertOneLine(error);
        Assert.Contains("1 NaN and 0 infinite", error, StringComparison.Ordinal);
        Assert.Contains("--allow-non-finite", error, StringComparison.Ordinal);
        Assert.False(Path.Exists(At("model")));

        (exitCode, string output, _) = Build(checkpoint, "--precision", "fp32", "--allow-non-finite");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("1 NaN weights were stored as 0", output, StringComparison.Ordinal);
        (_, output, _) = CliSession.Run("inspect", At("model"));
        Assert.Contains("- 1 NaN weights were stored as 0", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Checkpoint_writes_what_build_inspect_and_run_read()
    {
        string checkpoint = At("random");

        (int exitCode, string output, string error) = CliSession.Run(
            "checkpoint",
            "--model",
            "llama-tiny",
            "--shard-size",
            "1",
            "--output",
            checkpoint
        );
        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        Assert.Contains("random weights in", output, StringComparison.Ordinal);

        (exitCode, output, error) = CliSession.Run("inspect", checkpoint);
        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        foreach (
            string part in (string[])
                [
                    "Hugging Face checkpoint",
                    "synthetic",
                    "tied to the LM head",
                    "llama3 scaling",
                    "bf16",
                    "model-00001-of-",
                    "byte-level BPE",
                    "No problems found.",
                ]
        )
        {
            Assert.Contains(part, output, StringComparison.Ordinal);
        }

        (exitCode, output, error) = Build(checkpoint);
        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        Assert.Contains("synthetic weights", output, StringComparison.Ordinal);

        (exitCode, _, error) = CliSession.Run("checkpoint", "--model", "llama-tiny", "--output", checkpoint);
        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains("holds something already", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "synthetic")]
    [InlineData(false, "real")]
    public void Rows_say_whose_weights_they_are(bool isMarked, string expected)
    {
        string checkpoint = isMarked ? CheckpointFolder.Write(At("mine")) : CheckpointFolder.WriteReal(At("theirs"));

        (int exitCode, _, string error) = CliSession.Run(
            "run",
            "--quick",
            "--isolation",
            "none",
            "--engine",
            "ort",
            "--provider",
            "cpu",
            "--model",
            checkpoint,
            "--prompt",
            "pp8",
            "--max-length",
            "16",
            "--iterations",
            "2",
            "--output",
            At("run")
        );

        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        CaseOutcome outcome = Assert.Single(RunReader.Read(At("run")).Single().Cases);
        Assert.Equal((CaseStatus.Ok, expected, "int4"), (outcome.Status, outcome.Case.Weights, outcome.Case.Precision));
        Assert.Equal(256, outcome.Case.HiddenSize);
        Assert.Matches("^[0-9a-f]{64}$", outcome.Case.ModelSha256);
    }

    [Fact]
    public void Inspect_lists_a_checkpoints_problems_and_refuses_a_broken_one_in_a_line()
    {
        string checkpoint = CheckpointFolder.WriteReal(At("checkpoint"));
        File.WriteAllText(Path.Combine(checkpoint, "tokenizer.json"), """{"model":{"type":"Unigram","vocab":{"a":0}}}""");

        (int exitCode, string output, _) = CliSession.Run("inspect", checkpoint);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("Problems:", output, StringComparison.Ordinal);
        Assert.Contains("is no tokenizer.json that can be read", output, StringComparison.Ordinal);

        Spoil(checkpoint, "truncated");
        (exitCode, _, string error) = CliSession.Run("inspect", checkpoint);
        Assert.Equal(ExitCode.Input, exitCode);
        AssertOneLine(error);
    }

    private (int ExitCode, string Output, string Error) Build(string checkpoint, params string[] arguments) =>
        CliSession.Run(["build", "--model", checkpoint, "--output", At("model"), .. arguments]);

    // A build of more than half a second says how long it took.
    private static string WithoutTimes(string output) =>
        string.Join('\n', output.Split('\n').Where(line => !line.Contains(" GB/s", StringComparison.Ordinal)));

    private string At(string name) => Path.Combine(_folder, name);

    private static void Spoil(string checkpoint, string flaw)
    {
        string shard = Directory.EnumerateFiles(checkpoint, "*.safetensors").Order(StringComparer.Ordinal).ElementAt(1);
        switch (flaw)
        {
            case "truncated":
                File.WriteAllBytes(shard, File.ReadAllBytes(shard)[..^100]);
                break;
            case "missing shard":
                File.Delete(shard);
                break;
            case "wrong config":
                CheckpointFolder.ChangeConfig(checkpoint, json => json["intermediate_size"] = 128);
                break;
            case "not json":
                File.WriteAllText(Path.Combine(checkpoint, "config.json"), "{ \"model_type\": ");
                break;
            default:
                File.Delete(Path.Combine(checkpoint, "tokenizer.json"));
                break;
        }
    }

    private static void AssertOneLine(string error)
    {
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }
}
