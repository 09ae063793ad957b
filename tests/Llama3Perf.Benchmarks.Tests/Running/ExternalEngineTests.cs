using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>Runs with an external engine beside one of ours: a real process, no real model.</summary>
[Collection(nameof(CliSession))]
public sealed class ExternalEngineTests : IDisposable
{
    private const string Mode = "FAKE_PEER_MODE";

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-external-").FullName;
    private readonly string? _mode = Environment.GetEnvironmentVariable(Mode);

    public ExternalEngineTests() => Assert.SkipWhen(PythonProgram.Find().Python is null, PythonProgram.Find().Reason ?? "no Python");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Mode, _mode);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_good_program_has_rows_like_any_engine()
    {
        (int exitCode, string error, CaseOutcome theirs, CaseOutcome ours) = Measure("good");

        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        Assert.Equal((CaseStatus.Ok, CaseStatus.Ok), (theirs.Status, ours.Status));
        Assert.Equal(
            ("cpu", "fp32", "synthetic", null),
            (theirs.Case.Provider, theirs.Case.Precision, theirs.Case.Weights, theirs.Case.Device)
        );
        Assert.Contains("peer fake_peer 1.0", theirs.Case.EngineVersions, StringComparison.Ordinal);
        Assert.Contains("fake 1.0", theirs.Case.EngineVersions, StringComparison.Ordinal);
        Assert.Null(ours.Case.EngineVersions);
        Assert.Contains("nothing here is real", File.ReadAllText(Path.Combine(RunPath, "results.csv")), StringComparison.Ordinal);
        Assert.All(
            theirs.Samples,
            sample =>
            {
                Assert.Equal((16, 16), (sample.PromptTokens, sample.NewTokens));
                Assert.True(sample.Completed);
                Assert.True(sample.DecodeTps > 0);
            }
        );
        Assert.Matches("^[0-9a-f]{64}$", Assert.Single(theirs.Samples.Select(sample => sample.OutputSha256).Distinct()));
        Assert.Equal(ours.Case.PromptSha256, theirs.Case.PromptSha256);
        Assert.NotEqual(ours.CaseId, theirs.CaseId);
    }

    [Theory]
    [InlineData("dies-in-generate", "last words")]
    [InlineData("wrong-count", "15")]
    [InlineData("out-of-memory", "the fake model needs 1 EiB: take a smaller model")]
    [InlineData("missing-module", "python -m pip install fakelib")]
    public void A_program_that_fails_is_a_failed_row_with_its_words_and_the_others_go_on(string mode, string words)
    {
        (int exitCode, _, CaseOutcome theirs, CaseOutcome ours) = Measure(mode);

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Equal((CaseStatus.Failed, CaseStatus.Ok), (theirs.Status, ours.Status));
        Assert.Contains(words, theirs.Error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', theirs.Error!);
        Assert.Empty(theirs.Samples);
        Assert.NotEmpty(ours.Samples);
    }

    [Fact]
    public void A_program_that_generates_other_tokens_than_its_weights_say_is_not_timed()
    {
        (int exitCode, _, CaseOutcome theirs, CaseOutcome ours) = Measure("good", verify: "cpu");

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Equal((CaseStatus.Failed, CaseStatus.Ok), (theirs.Status, ours.Status));
        Assert.Equal((VerificationStatus.Failed, VerificationStatus.Reference), (theirs.Verification.Status, ours.Verification.Status));
        Assert.Null(theirs.Verification.KlNats);
        Assert.Matches("^verification failed: 'pp15': token [0-9]+ is [0-9]+, not [0-9]+, which the reference prefers by ", theirs.Error);
        Assert.Empty(theirs.Samples);
    }

    [Fact]
    public void A_program_whose_clock_is_not_ours_is_marked()
    {
        (int exitCode, _, CaseOutcome theirs, CaseOutcome ours) = Measure("lies-about-time");

        Assert.Equal(ExitCode.Success, exitCode);
        // It sleeps 17 ms and says half of that: a busy machine only makes it more.
        Assert.All(theirs.Samples, sample => Assert.True(sample.ClockDisagreementMs > 5));
        Assert.All(ours.Samples, sample => Assert.Null(sample.ClockDisagreementMs));
        Assert.Contains(
            "its clock and ours disagree in 2 of 2 iterations",
            File.ReadAllText(Path.Combine(RunPath, "results.md")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_text_that_the_program_reads_differently_is_not_timed()
    {
        Environment.SetEnvironmentVariable(Mode, "good");

        (int exitCode, _, _) = Run("--engine", Fake, "--model", CheckpointFolder.Write(At("checkpoint")), "--prompt", "OpenVINO is");

        Assert.Equal(ExitCode.Failed, exitCode);
        CaseOutcome outcome = Outcomes().Single();
        Assert.Equal(CaseStatus.Failed, outcome.Status);
        Assert.Contains("makes other tokens of the prompt", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shape_is_no_checkpoint()
    {
        (int exitCode, string output, _) = Run("--engine", Fake, "--model", "llama-tiny", "--prompt", "pp16");

        Assert.Equal(ExitCode.Input, exitCode);
        CaseOutcome outcome = Outcomes().Single();
        Assert.Equal(
            (CaseStatus.Skipped, "external:fake_peer", "llama-tiny"),
            (outcome.Status, outcome.Case.Engine, outcome.Case.ModelName)
        );
        Assert.Contains(
            "loads Hugging Face checkpoints, and 'llama-tiny' is none; the verb checkpoint makes one",
            outcome.Error,
            StringComparison.Ordinal
        );
        Assert.Contains("the verb checkpoint makes one", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Transformers_without_its_modules_is_skipped_with_what_to_install()
    {
        PythonProgram python = PythonProgram.Find().Python!;
        Assert.SkipWhen(python.ModulesOf(["torch"]).Count > 0, $"{python.Path} has torch");

        (int exitCode, _, _) = Run(
            "--engine",
            "external:transformers,ort",
            "--provider",
            "cpu",
            "--model",
            CheckpointFolder.Write(At("checkpoint")),
            "--prompt",
            "pp16",
            "--precision",
            "fp32"
        );

        Assert.Equal(ExitCode.Success, exitCode);
        CaseOutcome skipped = Outcomes().Single(outcome => outcome.Case.Engine == "external:transformers");
        Assert.Equal(CaseStatus.Skipped, skipped.Status);
        Assert.Contains("has no module torch", skipped.Error, StringComparison.Ordinal);
        Assert.Contains("requirements-transformers.txt", skipped.Error, StringComparison.Ordinal);
        Assert.Equal(CaseStatus.Ok, Outcomes().Single(outcome => outcome.Case.Engine == "ort").Status);
    }

    private string RunPath => At("run");

    private static string Fake => "external:" + Path.Combine(Fixtures.Root, "tests", "peers", "fake_peer.py");

    private string At(string name) => Path.Combine(_folder, name);

    private IReadOnlyList<CaseOutcome> Outcomes() => RunReader.Read(RunPath).Single().Cases;

    private (int ExitCode, string Error, CaseOutcome Theirs, CaseOutcome Ours) Measure(string mode, string verify = "off")
    {
        Environment.SetEnvironmentVariable(Mode, mode);
        (int exitCode, _, string error) = Run(
            "--engine",
            $"{Fake},ort",
            "--model",
            CheckpointFolder.Write(At("checkpoint")),
            "--prompt",
            "pp16",
            "--precision",
            "fp32",
            "--verify",
            verify
        );
        IReadOnlyList<CaseOutcome> outcomes = Outcomes();
        Assert.Equal(2, outcomes.Count);
        return (
            exitCode,
            error,
            outcomes.Single(outcome => outcome.Case.Engine == "external:fake_peer"),
            outcomes.Single(outcome => outcome.Case.Engine == "ort")
        );
    }

    private (int ExitCode, string Output, string Error) Run(params string[] arguments) =>
        CliSession.Run([
            "run",
            "--quick",
            "--isolation",
            "none",
            "--max-length",
            "32",
            "--iterations",
            "2",
            "--output",
            RunPath,
            .. arguments,
        ]);
}
