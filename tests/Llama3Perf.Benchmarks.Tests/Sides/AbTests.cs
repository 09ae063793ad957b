using System.Text.Json;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Sides;

/// <summary>The verb <c>ab</c> with processes and files, on the smallest shape and for as few launches as can be.</summary>
public sealed class AbTests : IDisposable
{
    internal static readonly string[] Small =
    [
        "--engine",
        "ort",
        "--model",
        "llama-tiny",
        "--precision",
        "int4",
        "--prompt",
        "pp4",
        "--max-length",
        "12",
        "--iterations",
        "2",
        "--warmup",
        "0",
        "--budget",
        "1",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-ab-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Two_sets_of_options_are_launched_in_turn_and_leave_both_runs_and_a_verdict()
    {
        (int exitCode, string output, string error) = Ab(
            "--baseline-options",
            "--spin off --threads 1",
            "--metric",
            "decode_tps,ttft_ms",
            "--vary",
            "engine_options,threads",
            "--turns",
            "launches"
        );

        Assert.Equal("", error);
        Assert.Equal(3, exitCode);
        Run baseline = Read("baseline");
        Run current = Read("current");
        Assert.Equal(1, baseline.Cases[0].Case.Threads);
        Assert.Contains("allow_spinning=0", baseline.Cases[0].Case.EngineOptions, StringComparison.Ordinal);
        Assert.Null(current.Cases[0].Case.EngineOptions);
        Assert.All(
            (Run[])[baseline, current],
            run =>
            {
                CaseOutcome outcome = Assert.Single(run.Cases);
                Assert.Equal(CaseStatus.Ok, outcome.Status);
                Assert.Equal("random 11", outcome.LaunchOrder);
                Assert.Equal([(1, 1), (1, 2), (2, 1), (2, 2)], outcome.Samples.Select(sample => (sample.LaunchIndex, sample.Iteration)));
                Assert.All(outcome.Samples, sample => Assert.True(sample.Completed));
                Assert.Empty(run.Losses);
            }
        );

        // One side's two launches lie around the other's, or the other way round.
        string order = Order(baseline, current, launch: null);
        Assert.Contains(order, (string[])["AABBBBAA", "BBAAAABB"]);
        using JsonDocument verdict = JsonDocument.Parse(File.ReadAllText(PathOf("verdict.json")));
        Assert.Equal(
            (3, 11, 2),
            (
                verdict.RootElement.GetProperty("exit_code").GetInt32(),
                verdict.RootElement.GetProperty("seed").GetInt32(),
                verdict.RootElement.GetProperty("checks").GetArrayLength()
            )
        );
        Assert.Contains("A/B: FAIL, inconclusive (2 inconclusive)", output, StringComparison.Ordinal);
        Assert.Equal(
            ["baseline", "current", "verdict.json", "verdict.md"],
            Directory.EnumerateFileSystemEntries(PathOf("")).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Generations_of_both_sides_take_turns()
    {
        (int exitCode, string output, string error) = Ab("--baseline-options", "--spin off");

        Assert.Equal(("", 3), (error, exitCode));
        Assert.Contains("blocks of four launches, two a side, whose generations take turns", output, StringComparison.Ordinal);
        (Run baseline, Run current) = (Read("baseline"), Read("current"));
        Assert.All(
            (Run[])[baseline, current],
            run => Assert.Equal([1, 2], run.Cases[0].Samples.Select(sample => sample.LaunchIndex).Distinct())
        );

        // A turn is many generations of so small a model; neighbouring turns of a side look like one.
        foreach (int launch in (int[])[1, 2])
        {
            string order = Order(baseline, current, launch);
            string turns = string.Concat(order.Where((side, place) => place == 0 || order[place - 1] != side));
            Assert.Contains(turns, (string[])["ABA", "BAB"]);
        }
    }

    // Whose generations followed one another.
    private static string Order(Run baseline, Run current, int? launch) =>
        string.Concat(
            Of(baseline, 'A')
                .Concat(Of(current, 'B'))
                .Where(start => launch is null || start.LaunchIndex == launch)
                .OrderBy(start => start.StartUtc)
                .Select(start => start.Side)
        );

    private static IEnumerable<(DateTimeOffset StartUtc, int LaunchIndex, char Side)> Of(Run run, char side) =>
        run.Cases[0].Samples.Select(sample => (sample.StartUtc, sample.LaunchIndex, side));

    [Fact]
    public void A_build_that_is_older_than_ab_is_launched_run_by_run()
    {
        List<string> said = [];
        SuiteProgram program = SuiteProgram.In(Build("""exec "$PROGRAM" "$@" """));
        using ISide side = Assert.Single(SideProgram.Start([new("baseline", program, [.. Small[..^2]], PathOf("old"))], said.Add));
        CaseOutcome planned = Assert.Single(side.Planned.Cases);
        Assert.Equal((CaseStatus.Interrupted, 0), (planned.Status, planned.Samples.Count));

        CaseOutcome launched = side.Launch(planned.CaseId);
        side.Complete();

        Assert.Equal((CaseStatus.Ok, 2), (launched.Status, launched.Samples.Count));
        Assert.Equal(["baseline: this build is older than ab, so every launch is a run of its own"], said);
        Assert.Equal(
            launched.Samples.Select(sample => sample.StartUtc),
            Assert.Single(Read("old").Cases).Samples.Select(sample => sample.StartUtc)
        );
    }

    [Theory]
    [InlineData(ExitCode.Usage, "ab needs a baseline: --baseline-build folder")]
    [InlineData(ExitCode.Input, "there is no folder", "--baseline-build", "/no/such/folder")]
    [InlineData(ExitCode.Input, "is no build: there is no Llama3Perf.Benchmarks in it", "--baseline-build", "EMPTY")]
    [InlineData(ExitCode.Usage, "--baseline-options: --spin: 'maybe' is neither on, off", "--baseline-options", "--spin maybe")]
    [InlineData(ExitCode.Usage, "--baseline-options: --nope is no option of run", "--baseline-options", "--nope")]
    [InlineData(ExitCode.Usage, "--baseline-options: --launches is not for one side", "--baseline-options", "--launches 3")]
    [InlineData(ExitCode.Usage, "--launches", "--baseline-options", "--spin off", "--launches", "3")]
    [InlineData(ExitCode.Usage, "'0' is not a whole number from 1", "--baseline-options", "--spin off", "--budget", "0")]
    [InlineData(ExitCode.Usage, "--budget: 0.01 s are too short for a block", "--baseline-options", "--spin off", "--budget", "0.01s")]
    [InlineData(ExitCode.Input, "do not match", "--baseline-options", "--prompt pp4,pp8")]
    [InlineData(ExitCode.Input, "the baseline can measure nothing here", "--baseline-runtime-dir", "EMPTY", "--engine", "ort")]
    [InlineData(ExitCode.Usage, "A threshold of 0 is not between 0 and 1", "--baseline-options", "--spin off", "--threshold", "0%")]
    public void What_cannot_be_is_one_line_and_leaves_nothing(int expectedExitCode, string expected, params string[] arguments)
    {
        string empty = Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName;

        (int exitCode, _, string error) = Ab([.. arguments.Select(argument => argument == "EMPTY" ? empty : argument)]);

        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(expectedExitCode, exitCode);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(PathOf("")), "something was left");
    }

    [Theory]
    [InlineData("exit 7", "baseline: a run ended with exit code 7")]
    [InlineData("echo 'error: no such thing' >&2; exit 2", "baseline: no such thing")]
    [InlineData(""" "$PROGRAM" "$@"; for f; do :; done; sed -i.bak 's/^[0-9]*,/99,/' "$f/samples.csv" "$f/results.csv" """, "99")]
    public void A_build_that_cannot_be_used_is_one_line(string script, string expected)
    {
        (int exitCode, _, string error) = Ab("--baseline-build", Build(script));

        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(PathOf("")), "something was left");
    }

    /// <summary>A program that does not know the verb of a side, and does something for all others.</summary>
    private string Build(string script)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a shell");
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "build")).FullName;
        string program = Path.Combine(folder, ProgramProcess.FileName);
        File.WriteAllText(
            program,
            $"""
            #!/bin/sh
            PROGRAM='{ProgramProcess.Program}'
            [ "$1" = serve-launches ] && exit 64
            {script}
            """
        );
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        return folder;
    }

    private (int ExitCode, string Output, string Error) Ab(params string[] arguments) =>
        ProgramProcess.Run(_folder, ["ab", .. Small, "--seed", "11", "--output", PathOf(""), .. arguments]);

    private Run Read(string side) => RunReader.Read(PathOf(side)).Single();

    private string PathOf(string name) => Path.TrimEndingDirectorySeparator(Path.Combine(_folder, "ab", name));
}
