using System.Text.Json;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>Runs with an external engine beside one of ours: a real process, no real model.</summary>
[Collection(nameof(CliSession))]
public sealed partial class ExternalEngineTests : IDisposable
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
    [InlineData("wrong-id", "under the id")]
    [InlineData("million-lines", "printed 'line 0'")]
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
    public void A_program_alone_is_verified_against_its_checkpoint()
    {
        Environment.SetEnvironmentVariable(Mode, "good");

        (int exitCode, string output, _) = Run(
            "--engine",
            Fake,
            "--model",
            CheckpointFolder.Write(At("checkpoint")),
            "--prompt",
            "pp16",
            "--precision",
            "int8"
        );

        Assert.Equal(ExitCode.Failed, exitCode);
        CaseOutcome outcome = Outcomes().Single();
        Assert.Equal(VerificationStatus.Failed, outcome.Verification.Status);
        Assert.Matches("^verification failed: 'pp15': token [0-9]+ is .*; the limit is 0.06$", outcome.Error);
        Assert.Contains("Verification failed: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_holds_a_programs_tokens_against_a_file()
    {
        Environment.SetEnvironmentVariable(Mode, "good");
        string reference = At("reference.json");
        string[] arguments = [CheckpointFolder.Write(At("checkpoint")), "--engine", Fake, "--reference", reference];

        WriteReference(reference, shift: 0);
        (int right, string output, string error) = CliSession.Run(["verify", .. arguments]);
        WriteReference(reference, shift: 1);
        (int wrong, string otherOutput, _) = CliSession.Run(["verify", .. arguments]);

        Assert.Equal(("", ExitCode.Success, ExitCode.Failed), (error, right, wrong));
        Assert.Contains("on external:fake_peer/cpu tokens alone, against reference.json: 4 of 4 agree", output, StringComparison.Ordinal);
        Assert.Contains("Verification failed: ", otherOutput, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_holds_a_programs_tokens_against_ort_with_the_checkpoint_in_fp32()
    {
        Environment.SetEnvironmentVariable(Mode, "good");

        (int exitCode, string output, _) = CliSession.Run(
            "verify",
            CheckpointFolder.Write(At("checkpoint")),
            "--engine",
            Fake,
            "--precision",
            "bf16",
            "--against-engine",
            "ort"
        );

        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Matches("Verification failed: .* bf16 on external:fake_peer/cpu: 'pp15': token .*; the limit is 0.06", output);
    }

    [Theory]
    [InlineData(ExitCode.Input, "Not verified: ", "--against-engine", "ort")]
    [InlineData(ExitCode.Usage, "leave other sides, prompts and limits out", "--against-engine", "genai")]
    [InlineData(ExitCode.Usage, "leave other sides, prompts and limits out", "--against-engine", "ort", "--max-kl", "1")]
    [InlineData(ExitCode.Usage, "verify needs one reference")]
    public void What_verify_cannot_hold_against_anything_is_said(int expected, string part, params string[] arguments)
    {
        (int exitCode, string output, string error) = CliSession.Run(["verify", "llama-tiny", "--engine", Fake, .. arguments]);

        Assert.Equal(expected, exitCode);
        Assert.Contains(part, output + error, StringComparison.Ordinal);
    }

    // What the stand-in generates, or other tokens.
    private static void WriteReference(string file, int shift)
    {
        const int Vocabulary = 1024;
        int[] prompt = [1, 5, 9];
        int value = prompt.Aggregate(17, (sum, token) => ((sum * 31) + token) % 1_000_003);
        File.WriteAllText(
            file,
            JsonSerializer.Serialize(
                new
                {
                    cases = new[]
                    {
                        new
                        {
                            prompt = "three",
                            input_ids = prompt,
                            last_logits = Enumerable.Range(0, Vocabulary),
                            greedy_new_tokens = Enumerable.Range(0, 4).Select(i => 3 + ((value + (7919 * i) + shift) % (Vocabulary - 3))),
                        },
                    },
                }
            )
        );
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

        (int exitCode, _, _) = Run(
            "--engine",
            Fake,
            "--model",
            CheckpointFolder.Write(At("checkpoint")),
            "--prompt",
            "OpenVINO is",
            "--verify",
            "off"
        );

        Assert.Equal(ExitCode.Failed, exitCode);
        CaseOutcome outcome = Outcomes().Single();
        Assert.Equal(CaseStatus.Failed, outcome.Status);
        Assert.Contains("makes other tokens of the prompt", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_that_cannot_be_asked_is_a_note()
    {
        Environment.SetEnvironmentVariable(Mode, "no-tokenizer");

        (int exitCode, _, _) = Run(
            "--engine",
            Fake,
            "--model",
            CheckpointFolder.Write(At("checkpoint")),
            "--prompt",
            "OpenVINO is",
            "--peer-option",
            "ipex-llm:load_in_low_bit=asym_int4",
            "--peer-option",
            "colour=blue",
            "--verify",
            "off"
        );

        Assert.Equal((ExitCode.Success, CaseStatus.Ok), (exitCode, Outcomes().Single().Status));
        Assert.Equal("peer:colour=blue", Outcomes().Single().Case.EngineOptions);
        string results = File.ReadAllText(Path.Combine(RunPath, "results.csv"));
        Assert.Contains("its tokenizer was not compared with the suite's", results, StringComparison.Ordinal);
    }

    [Fact]
    public void An_environment_is_asked_what_it_could_do()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in for an environment is a shell script");
        string python = StubPython();
        string given = $"transformers={python},torch-directml={python},openvino={python}";

        Assert.Null(Reason("external:transformers", ExecutionProvider.Cpu));
        Assert.Contains("device NPU number 0 was asked for", Reason("external:openvino", ExecutionProvider.Npu), StringComparison.Ordinal);
        Assert.Contains("sees no cuda device", Reason("external:transformers", ExecutionProvider.Cuda), StringComparison.Ordinal);
        Assert.Contains(
            "torch 2.11.0+stub does not work",
            Reason("external:torch-directml", ExecutionProvider.Dml),
            StringComparison.Ordinal
        );

        string? Reason(string engine, ExecutionProvider provider) =>
            PeerCatalog.Availability(PeerCatalog.Get(engine), provider, given).Reason;
    }

    [Fact]
    public void A_Python_for_nobody_is_refused()
    {
        (int exitCode, _, string error) = Run("--python", "transfomers=/usr/bin/python3");

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains("'transfomers' is no external engine; use transformers=PATH, ipex-llm=PATH", error, StringComparison.Ordinal);
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
