using Llama3Perf.Benchmarks.Engines.LlamaBench;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Benchmarks.Tests.Engines.LlamaBench;

/// <summary>Cases of a llama-bench that is a script; what it is really asked is in its arguments.</summary>
public sealed class LlamaBenchCaseTests : IDisposable
{
    private static readonly RunIdentity s_run = new(
        "20260131-120000-aaaa",
        new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero),
        "0123abc"
    );
    private static readonly RunEnvironment s_environment = new() { MachineId = "m-1", CpuName = "a CPU" };

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-llama-bench-").FullName;

    public LlamaBenchCaseTests() => File.WriteAllText(Gguf, "abc");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Gguf => Path.Combine(_folder, "tiny-Q4_0.gguf");

    [Fact]
    public void A_launch_is_two_programs_and_a_sample_for_each_repetition()
    {
        CaseOutcome outcome = Measure(
            Script(
                $"""
                echo "$@" >> '{_folder}/asked'
                case "$*" in
                  *"-p 16 -n 0"*) echo '{LlamaBenchTexts.Test(16, 0, 0, samples: "4000000,5000000")}';;
                  *"-p 0 -n 4 -d 16"*) echo '{LlamaBenchTexts.Test(0, 4, 16)}';;
                esac
                """
            ),
            threads: 4
        );

        Assert.Equal((CaseStatus.Ok, null), (outcome.Status, outcome.Error));
        Assert.Equal(["random tokens, no sampling: its own definitions"], outcome.Notes);
        Assert.Equal([(1, 1), (1, 2), (2, 1), (2, 2)], outcome.Samples.Select(sample => (sample.LaunchIndex, sample.Iteration)));
        Assert.Equal([4.0, 5, 4, 5], outcome.Samples.Select(sample => sample.PrefillMs!.Value));
        Assert.Equal([8.0, 10, 8, 10], outcome.Samples.Select(sample => sample.DecodeMs!.Value));
        Assert.Equal([500.0, 400, 500, 400], outcome.Samples.Select(sample => sample.DecodeTps!.Value));
        Assert.All(
            outcome.Samples,
            sample =>
                Assert.Equal(
                    (16, 4, null, null, true),
                    (sample.PromptTokens, sample.NewTokens, sample.TtftMs, sample.EndToEndMs, sample.Completed)
                )
        );
        string[] asked = File.ReadAllLines(Path.Combine(_folder, "asked"));
        Assert.Equal(4, asked.Length);
        Assert.All(asked, line => Assert.StartsWith($"-m {Gguf} -r 2 -o json -t 4 -ngl 0 -p ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void The_key_is_what_was_asked_for_and_the_version_what_answered()
    {
        PlannedCase planned = Planned("llama-bench") with { CaseId = "as-planned" };
        CaseOutcome outcome = Fake((prompt, generated, depth) => LlamaBenchTexts.Test(prompt, generated, depth, "CPU", "A GPU"), planned);

        Assert.Equal(planned.Key with { EngineVersions = "llama.cpp 7 (abc)" }, outcome.Case);
        Assert.Equal("as-planned", outcome.CaseId);
        Assert.All(outcome.Samples, sample => Assert.Equal((outcome.Case, "as-planned"), (sample.Case, sample.CaseId)));
    }

    [Theory]
    [InlineData("CPU", "A GPU", "cpu", false)]
    [InlineData("BLAS", "", "cpu", false)]
    [InlineData("BLAS,Metal", "M4", "mps", false)]
    [InlineData("CUDA,BLAS", "A GPU", "cuda", false)]
    [InlineData("Vulkan", "", "vulkan", true)]
    public void Figures_of_another_place_than_asked_for_are_no_result(string backends, string gpu, string place, bool isDoubtful)
    {
        string Report(int prompt, int generated, int depth) => LlamaBenchTexts.Test(prompt, generated, depth, backends, gpu);
        PlannedCase planned = Planned("llama-bench");
        CaseOutcome right = Fake(Report, planned with { Key = planned.Key with { Provider = place } });
        CaseOutcome itsOwn = Fake(Report, planned with { Key = planned.Key with { Provider = "auto" } });

        Assert.Equal(CaseStatus.Ok, right.Status);
        Assert.Equal(isDoubtful, right.Notes.Any(note => note.Contains("may have run on the processor", StringComparison.Ordinal)));
        Assert.Equal($"llama.cpp 7 (abc) on {backends}", itsOwn.Case.EngineVersions);
        AssertFailed(Fake(Report, planned with { Key = planned.Key with { Provider = "xpu" } }), $"was asked for xpu and ran on {place}");
    }

    [Fact]
    public void Another_format_than_the_file_is_named_after_is_said()
    {
        PlannedCase planned = Planned("llama-bench");
        CaseOutcome outcome = Fake(
            (prompt, generated, depth) => LlamaBenchTexts.Test(prompt, generated, depth),
            planned with
            {
                Key = planned.Key with { Precision = "unknown" },
            }
        );

        Assert.Equal("unknown", outcome.Case.Precision);
        Assert.Contains("it calls the weights int4", outcome.Notes);
    }

    [Fact]
    public void A_program_that_knows_no_depth_is_asked_once_and_marked()
    {
        CaseOutcome outcome = Measure(
            Script(
                $"""
                echo "$@" >> '{_folder}/asked'
                case "$*" in
                  *" -d 16"*) echo 'error: invalid parameter for argument: -d' >&2; echo usage; exit 1;;
                  *"-p 16 -n 0"*) echo '{LlamaBenchTexts.Test(16, 0)}';;
                  *) echo '{LlamaBenchTexts.Test(0, 4)}';;
                esac
                """
            )
        );

        Assert.Equal((CaseStatus.Ok, null, 4), (outcome.Status, outcome.Error, outcome.Samples.Count));
        Assert.Contains("decode measured from an empty context: this llama-bench knows no depth", outcome.Notes);
        Assert.Single(File.ReadAllLines(Path.Combine(_folder, "asked")), line => line.EndsWith("-d 16", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(
        "echo first >&2; echo 'error: failed to load model' >&2; exit 3",
        "llama-bench ended with exit code 3: error: failed to load model"
    )]
    [InlineData("echo 'error: failed to run depth' >&2; exit 1", "exit code 1: error: failed to run depth")]
    [InlineData("exit 9", "exit code 9")]
    [InlineData("echo '| model |'", "not its JSON report")]
    [InlineData("exit 0", "printed nothing")]
    [InlineData("echo 'still loading' >&2; sleep 60", "did not end within 0.5 s and was killed: still loading")]
    [InlineData("kill -ABRT $$", "ended with exit code 134: the signal SIGABRT")]
    [InlineData("sleep 60 & wait", "did not end within 0.5 s")]
    [InlineData("sleep 3 & exit 0", "something that it started keeps its output open")]
    public void A_program_that_fails_is_a_failed_case_with_its_words(string body, string words)
    {
        string program = Script(body);
        CaseOutcome outcome = Measure(
            program,
            timeout: body.Contains("sleep", StringComparison.Ordinal) ? TimeSpan.FromSeconds(0.5) : null
        );

        AssertFailed(outcome, words);
    }

    [Fact]
    public void A_program_that_is_not_there()
    {
        AssertFailed(Measure(Path.Combine(_folder, "nothing")), "nothing cannot be started");
    }

    [Fact]
    public void Another_test_or_count_than_asked_for_is_no_result()
    {
        AssertFailed(Fake((_, _, _) => LlamaBenchTexts.Test(512, 0, 0)), "512 prompt");
        AssertFailed(Fake((prompt, generated, _) => LlamaBenchTexts.Test(prompt, generated, 0)), "at depth 0 instead of");
        AssertFailed(
            Fake((prompt, generated, depth) => LlamaBenchTexts.Test(prompt, generated, depth), iterations: 3),
            "2 repetitions instead of 3"
        );
    }

    [Fact]
    public void Cancelling_ends_the_program_and_the_measuring()
    {
        using CancellationTokenSource source = new(TimeSpan.FromSeconds(0.3));

        Assert.ThrowsAny<OperationCanceledException>(() =>
            LlamaBenchCase.Measure(Planned(Script("sleep 60")), 2, 2, s_run, s_environment, cancellationToken: source.Token)
        );
    }

    [Fact]
    public void Its_rows_are_written_read_again_and_shown()
    {
        CaseOutcome good = Fake((prompt, generated, depth) => LlamaBenchTexts.Test(prompt, generated, depth));
        CaseOutcome bad = Fake((_, _, _) => "", promptTokens: 32);
        string folder = Path.Combine(_folder, "run");

        RunWriter.Write(new Run(s_run, s_environment, [good, bad]), folder);
        Run read = Assert.Single(RunReader.Read(folder, withTokens: true));

        Assert.Equal([good.Case, bad.Case], read.Cases.Select(outcome => outcome.Case));
        Assert.Equal(
            good.Samples.Select(sample => (sample.PrefillTps, sample.DecodeMs, sample.TtftMs, sample.EndToEndTps, sample.OutputSha256)),
            read.Cases[0]
                .Samples.Select(sample => (sample.PrefillTps, sample.DecodeMs, sample.TtftMs, sample.EndToEndTps, sample.OutputSha256))
        );
        Assert.Equal((CaseStatus.Failed, "llama-bench printed nothing"), (read.Cases[1].Status, read.Cases[1].Error));
        ResultRow row = Aggregates.Row(read, read.Cases[0]);
        Assert.Equal(
            (450.0, null, null),
            (ResultSchema.Column("decode_tps_median").Value(row), ResultSchema.Column("ttft_ms_median").Value(row), row.OutputStable)
        );
        TextTable table = SummaryTable.Of([row]);
        Assert.Contains("450.0", table.Rows[0]);
        Assert.DoesNotContain(table.Columns, column => column.Header is "TTFT ms" or "e2e tok/s" or "ITL p50 ms");
        Assert.Contains("its own definitions", File.ReadAllText(Path.Combine(folder, "results.md")), StringComparison.Ordinal);
    }

    private static void AssertFailed(CaseOutcome outcome, string words)
    {
        Assert.Equal(CaseStatus.Failed, outcome.Status);
        Assert.Contains(words, outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(outcome.Error!, char.IsControl);
        Assert.Empty(outcome.Samples);
    }

    private CaseOutcome Measure(string program, int? threads = null, TimeSpan? timeout = null) =>
        LlamaBenchCase.Measure(
            Planned(program, threads: threads),
            2,
            2,
            s_run,
            s_environment,
            timeout: timeout,
            cancellationToken: TestContext.Current.CancellationToken
        );

    /// <param name="report">From prompt tokens, new tokens and depth.</param>
    /// <param name="promptTokens">Prompt tokens asked for.</param>
    /// <param name="iterations">Repetitions asked for.</param>
    private CaseOutcome Fake(Func<int, int, int, string> report, int promptTokens = 16, int iterations = 2) =>
        LlamaBenchCase.Measure(
            Planned("llama-bench", promptTokens),
            2,
            iterations,
            s_run,
            s_environment,
            arguments => arguments.Contains("-n 0", StringComparison.Ordinal) ? report(promptTokens, 0, 0) : report(0, 4, promptTokens),
            cancellationToken: TestContext.Current.CancellationToken
        );

    private static CaseOutcome Fake(Func<int, int, int, string> report, PlannedCase planned) =>
        LlamaBenchCase.Measure(
            planned,
            2,
            2,
            s_run,
            s_environment,
            arguments => arguments.Contains("-n 0", StringComparison.Ordinal) ? report(16, 0, 0) : report(0, 4, 16)
        );

    private PlannedCase Planned(string program, int promptTokens = 16, int? threads = null)
    {
        CaseKey key = new()
        {
            Engine = "llama.cpp",
            Provider = "cpu",
            ModelName = "tiny-Q4_0",
            Weights = "real",
            Precision = "int4",
            BlockSize = 32,
            PromptId = $"pp{promptTokens}",
            ChatTemplate = "none",
            PromptTokens = promptTokens,
            MaxLength = promptTokens + 4,
            Threads = threads,
        };
        return new PlannedCase
        {
            Key = key,
            CaseId = CaseId.For(key),
            ModelPath = Gguf,
            BenchProgram = program,
            EngineOptions = new EngineOptions { Threads = threads },
            PromptTokens = [],
        };
    }

    private string Script(string body)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell");
        string path = Path.Combine(_folder, "llama-bench");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        return path;
    }
}
