using System.Text.Json;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Commands;

[Collection(nameof(CliSession))]
public sealed class VerifyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-verify-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_agrees_with_a_copy_of_it()
    {
        string model = Build("a");

        (int exitCode, string output, string error) = Verify(
            model,
            "--against",
            Build("copy"),
            "--prompt",
            "OpenVINO is",
            "--prompt",
            "pp8"
        );

        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        Assert.Contains("32 of 32", output, StringComparison.Ordinal);
        Assert.Contains("PASS: ", output, StringComparison.Ordinal);
        Assert.Contains("Limits: difference ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_weights_are_beyond_the_limits_unless_these_are_given()
    {
        string a = Build("a"),
            b = Build("b", "--seed", "7");

        (int exitCode, string output, _) = Verify(a, "--against", b);
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("FAIL: ", output, StringComparison.Ordinal);

        (exitCode, output, _) = Verify(
            a,
            "--against",
            b,
            "--max-difference",
            "100%",
            "--min-cosine",
            "-1",
            "--max-kl",
            "1000",
            "--min-tokens",
            "0"
        );
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("0 greedy tokens.", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "needs one reference")]
    [InlineData(ExitCode.Usage, "needs one reference", "--reference", "r.json", "--against-provider", "cpu")]
    [InlineData(ExitCode.Usage, "--max-kl", "--against-provider", "cpu", "--max-kl", "-1")]
    [InlineData(ExitCode.Input, "nowhere.json", "--reference", "nowhere.json")]
    [InlineData(ExitCode.Input, "nowhere", "--against", "nowhere")]
    [InlineData(ExitCode.Usage, "against itself proves nothing", "--against-provider", "cpu")]
    public void What_cannot_be_used_is_one_line(int expected, string part, params string[] arguments)
    {
        (int exitCode, _, string error) = Verify(Build("a"), arguments);

        Assert.Equal(expected, exitCode);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_prompt_beyond_the_context_is_named()
    {
        (int exitCode, _, string error) = Verify(Build("a"), "--against", Build("copy"), "--prompt", "pp3000");

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains("pp3000", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("official-fp16-dml", ExitCode.Success)]
    [InlineData("official-int4-cpu", ExitCode.Success)]
    [InlineData("official-int4-cpu", ExitCode.Failed, "--max-difference", "1%")]
    public void Official_folders_against_the_checkpoints_reference(string variant, int expected, params string[] limits)
    {
        string model = Fixtures.Shared("llama3-gqa-bf16", variant);

        (int exitCode, string output, _) = Verify(model, ["--reference", Fixtures.Shared("llama3-gqa-bf16", "reference.json"), .. limits]);

        Assert.Equal(expected, exitCode);
        Assert.Contains("The capital of France is", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_does_not_time_a_model_that_computes_something_else()
    {
        string reference = Path.Combine(_folder, "reference.json");
        File.WriteAllText(
            reference,
            JsonSerializer.Serialize(
                new
                {
                    cases = new[]
                    {
                        new
                        {
                            prompt = "a",
                            input_ids = (int[])[1, 2],
                            last_logits = Enumerable.Range(0, 1024).Select(i => (float)i),
                            greedy_new_tokens = (int[])[1023],
                        },
                    },
                }
            )
        );

        (int exitCode, string output, _) = Run("--verify", reference);

        Assert.Equal(ExitCode.Failed, exitCode);
        CaseOutcome outcome = RunReader.Read(RunPath).Single().Cases.Single();
        Assert.Equal(CaseStatus.Failed, outcome.Status);
        Assert.StartsWith("verification failed: against reference.json: 'a': ", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(VerificationStatus.Failed, outcome.Verification.Status);
        Assert.NotNull(outcome.Verification.KlNats);
        Assert.Empty(outcome.Samples);
        Assert.Contains("Verification failed: llama-tiny int4 on ort/cpu: against reference.json: 'a': ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_the_reference_itself_says_so_and_measures()
    {
        (int exitCode, _, _) = Run();

        Assert.Equal(ExitCode.Success, exitCode);
        CaseOutcome outcome = RunReader.Read(RunPath).Single().Cases.Single();
        Assert.Equal((CaseStatus.Ok, VerificationStatus.Reference), (outcome.Status, outcome.Verification.Status));
        Assert.Contains(",reference,", File.ReadAllText(Path.Combine(RunPath, "results.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public void Turned_off_it_says_so_in_the_files()
    {
        (int exitCode, _, _) = Run("--verify", "off");

        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Equal(VerificationStatus.Off, RunReader.Read(RunPath).Single().Cases.Single().Verification.Status);
    }

    [Fact]
    public void Inspect_shows_facts_and_has_the_usual_exit_codes()
    {
        (int exitCode, string output, _) = CliSession.Run("inspect", Build("a"), "--bandwidth", "100");
        Assert.Equal(ExitCode.Success, exitCode);
        foreach (
            string part in (string[])
                ["tied to the LM head", "int4 b32 symmetric, fp32 scales", "at 100 GB/s", "webgpu", "No problems found."]
        )
        {
            Assert.Contains(part, output, StringComparison.Ordinal);
        }

        Assert.Equal(ExitCode.Input, CliSession.Run("inspect", _folder).ExitCode);
        Assert.Equal(ExitCode.Usage, CliSession.Run("inspect").ExitCode);
    }

    private string RunPath => Path.Combine(_folder, "run");

    private static (int ExitCode, string Output, string Error) Verify(string model, params string[] arguments) =>
        CliSession.Run(["verify", model, "--engine", "ort", "--provider", "cpu", "--threads", "1", .. arguments]);

    private (int ExitCode, string Output, string Error) Run(params string[] arguments) =>
        CliSession.Run([
            "--quick",
            "--isolation",
            "none",
            "--model",
            "llama-tiny",
            "--engine",
            "ort",
            "--provider",
            "cpu",
            "--prompt",
            "pp8",
            "--max-length",
            "16",
            "--iterations",
            "2",
            "--output",
            RunPath,
            .. arguments,
        ]);

    private string Build(string name, params string[] arguments)
    {
        string model = Path.Combine(_folder, name);
        Assert.Equal(ExitCode.Success, CliSession.Run(["build", "--model", "llama-tiny", "--output", model, .. arguments]).ExitCode);
        return model;
    }
}
