using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>What a graph needs is asked before anything runs, by every verb in the same words.</summary>
[Collection(nameof(CliSession))]
public sealed class GraphRefusalTests
{
    private const string Reason = "has weights in the layout of CUDA's kernel (weight_prepacked)";

    [Fact]
    public void A_run_has_a_failed_row_with_the_reason_and_measures_nothing()
    {
        using CaseFolder folder = new("official-int4-cuda-prepacked");
        (int exitCode, string output, _) = CliSession.Run(
            "--quick",
            "--isolation",
            "none",
            "--model",
            folder.Path,
            "--engine",
            "ort",
            "--provider",
            "cpu",
            "--prompt",
            "pp8",
            "--max-length",
            "16",
            "--output",
            folder["run"]
        );

        Assert.Equal(ExitCode.Failed, exitCode);
        CaseOutcome outcome = RunReader.Read(folder["run"]).Single().Cases.Single();
        Assert.Equal(CaseStatus.Failed, outcome.Status);
        Assert.Contains(Reason, outcome.Error, StringComparison.Ordinal);
        Assert.Contains("weight_prepacked", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_says_it_in_one_line()
    {
        using CaseFolder folder = new("official-int4-cuda-prepacked");
        using CaseFolder reference = new("official-int4-qdq");
        (int exitCode, _, string error) = CliSession.Run(
            "verify",
            folder.Path,
            "--reference",
            reference.Reference,
            "--engine",
            "ort",
            "--provider",
            "cpu"
        );

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains(Reason, Assert.Single(error.Trim().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_says_it_of_the_provider_and_lists_a_tokenizer_that_is_not_read()
    {
        using CaseFolder folder = new("official-int4-cuda-prepacked");
        string tokenizer = folder["tokenizer.json"];
        File.WriteAllText(tokenizer, """{"model": {"type": "WordPiece", "vocab": {"a": 0}}}""");
        (int exitCode, string output, _) = CliSession.Run("inspect", folder.Path);

        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains($"it {Reason}", output, StringComparison.Ordinal);
        Assert.Contains($"- {tokenizer}", output, StringComparison.Ordinal);
    }

    /// <summary>A model that is not made, and one that is there: whatever this machine has, no verb goes on.</summary>
    [Theory]
    [InlineData("build", "--model", "llama-tiny", "--precision", "fp32", "--provider", "cuda", "--output", "{new}")]
    [InlineData("run", "--model", "{folder}", "--engine", "ort", "--provider", "cuda", "--dry-run")]
    [InlineData("verify", "{folder}", "--engine", "ort", "--provider", "cuda", "--against-provider", "cpu", "--prompt", "pp4")]
    [InlineData("generate", "--model", "{folder}", "--engine", "ort", "--provider", "cuda", "--prompt", "pp4")]
    [InlineData("generate", "--model", "{folder}", "--engine", "genai", "--provider", "cuda", "--prompt", "pp4")]
    public void A_type_that_a_providers_attention_does_not_take_is_refused_by_every_verb(params string[] arguments)
    {
        using CaseFolder other = new("official-int4-cuda-prepacked");
        string folder = new ModelStore(Workspace.Models)
            .GetOrBuild(
                new ModelBuildOptions
                {
                    Model = "llama-tiny",
                    Precision = Precision.Fp32,
                    Target = GraphTarget.Cuda,
                },
                cancellationToken: TestContext.Current.CancellationToken
            )
            .Path;

        (int exitCode, string output, string error) = CliSession.Run([
            .. arguments.Select(argument =>
                argument.Replace("{folder}", folder, StringComparison.Ordinal).Replace("{new}", other["new"], StringComparison.Ordinal)
            ),
        ]);

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains(
            "has float32 keys and values, which CUDA's GroupQueryAttention does not take",
            arguments[0] == "run" ? output : Assert.Single(error.Trim().Split('\n')),
            StringComparison.Ordinal
        );
        Assert.False(Directory.Exists(other["new"]));
    }

    [Fact]
    public void A_key_that_nobody_knows_is_one_line_of_a_build()
    {
        using CaseFolder checkpoint = new("rope-both-llama3");
        string config = File.ReadAllText(checkpoint["config.json"]);
        File.WriteAllText(
            checkpoint["config.json"],
            config.Replace("\"use_cache\"", "\"residual_multiplier\": 2, \"use_cache\"", StringComparison.Ordinal)
        );
        (int exitCode, string output, _) = CliSession.Run("build", "--model", checkpoint.Path, "--output", checkpoint["built"]);

        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Single(output.Split('\n'), line => line.Contains("'residual_multiplier'", StringComparison.Ordinal));
    }
}
