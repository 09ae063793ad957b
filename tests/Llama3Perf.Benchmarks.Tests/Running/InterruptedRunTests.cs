using System.Text.Json.Nodes;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>What ends a run leaves its finished launches, readable, and the run goes on from them.</summary>
public sealed class InterruptedRunTests : IDisposable
{
    private static readonly string[] s_run =
    [
        "run",
        "--engine",
        "ort",
        "--isolation",
        "none",
        "--model",
        "llama-tiny",
        "--precision",
        "int4",
        "--prompt",
        "pp8",
        "--max-length",
        "40,41,42,43,44",
        "--launches",
        "2",
        "--iterations",
        "3",
        "--warmup",
        "0",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-interrupted-").FullName;

    public InterruptedRunTests() => Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "needs kill");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("KILL", 137)]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    [InlineData("HUP", 129)]
    public void A_run_that_is_ended_in_its_third_case_goes_on(string signal, int expectedExitCode)
    {
        (int exitCode, string error) = End(signal, afterLaunches: 5);

        Assert.Equal(expectedExitCode, exitCode);
        Run part = RunReader.Read(RunPath).Single();
        int kept = part.Cases.Sum(outcome => outcome.Samples.Count);
        // The tables may be a launch behind the journal, which is what the run goes on from.
        Assert.True(kept >= 12 && kept % 3 == 0, $"{kept} samples");
        Assert.Contains(part.Cases, outcome => outcome.Status == CaseStatus.Interrupted);
        Assert.NotEmpty(part.Losses);
        if (signal != "KILL")
        {
            Assert.Contains(
                $"finished launches are kept in {RunPath}; go on with: run --resume {RunPath}",
                error,
                StringComparison.Ordinal
            );
        }

        (exitCode, string output, error) = Resume();

        Assert.True(exitCode == ExitCode.Success, output + error);
        Run whole = RunReader.Read(RunPath, withTokens: true).Single();
        Assert.Equal(part.Identity, whole.Identity);
        Assert.Empty(whole.Losses);
        Assert.All(whole.Cases, outcome => Assert.Equal((CaseStatus.Ok, 6), (outcome.Status, outcome.Samples.Count)));
        Sample[] all = [.. whole.Cases.SelectMany(outcome => outcome.Samples)];
        Assert.All(
            part.Cases.SelectMany(outcome => outcome.Samples),
            sample =>
                Assert.Contains(
                    all,
                    other =>
                        (other.CaseId, other.LaunchIndex, other.Iteration, other.StartUtc, other.DecodeTps)
                        == (sample.CaseId, sample.LaunchIndex, sample.Iteration, sample.StartUtc, sample.DecodeTps)
                )
        );
        Assert.DoesNotContain(
            Directory.EnumerateFiles(RunPath),
            file => Path.GetFileName(file) is "journal.jsonl" or "plan.json" or "beginning.json"
        );
    }

    [Fact]
    public void A_report_says_that_it_shows_a_part()
    {
        End("KILL", afterLaunches: 3);

        (int exitCode, _, string error) = Program("report", RunPath, "--output", Path.Combine(_folder, "report.html"));

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains("was interrupted", File.ReadAllText(Path.Combine(_folder, "report.html")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("another machine", "it was begun on another machine")]
    [InlineData("options", "a run goes on with the options that it was begun with")]
    [InlineData("library", "--trust-invocation")]
    [InlineData("complete", "is not the folder of an interrupted run")]
    public void What_cannot_go_on_says_why(string flaw, string expected)
    {
        End("KILL", afterLaunches: 1);
        string beginning = Path.Combine(RunPath, "beginning.json");
        string[] more = [];
        switch (flaw)
        {
            case "another machine":
                File.WriteAllText(beginning, WithMachine(File.ReadAllText(beginning), "other"));
                break;
            case "options":
                more = ["--iterations", "4"];
                break;
            case "library":
                File.WriteAllText(
                    Path.Combine(RunPath, "invocation.json"),
                    """{"Directory":"/","Arguments":["--runtime-dir","/tmp/evil"]}"""
                );
                break;
            default:
                File.Delete(Path.Combine(RunPath, "journal.jsonl"));
                break;
        }

        (int exitCode, _, string error) = Program(["run", "--resume", RunPath, .. more]);

        Assert.NotEqual(0, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
    }

    private static string WithMachine(string beginning, string machine)
    {
        JsonNode root = JsonNode.Parse(beginning)!;
        root["MachineId"] = machine;
        return root.ToJsonString();
    }

    private string RunPath => Path.Combine(_folder, "run");

    private (int ExitCode, string Output, string Error) Resume() => Program("run", "--resume", RunPath);

    private (int ExitCode, string Error) End(string signal, int afterLaunches)
    {
        for (int attempt = 1; ; attempt++)
        {
            (int exitCode, string output, string error) = TryToEnd(signal, afterLaunches);
            if (exitCode != 0)
            {
                return (exitCode, error);
            }

            // On a busy machine the run may be over before this process is given its turn.
            Assert.True(attempt < 5, output + error);
            Directory.Delete(RunPath, recursive: true);
        }
    }

    private (int ExitCode, string Output, string Error) TryToEnd(string signal, int afterLaunches)
    {
        using ProgramProcess process = new(_folder, [.. s_run, "--output", RunPath]);
        string journal = Path.Combine(RunPath, "journal.jsonl");
        while (!process.HasEnded && (!File.Exists(journal) || LineCount(journal) < afterLaunches))
        {
            Thread.Sleep(2);
        }

        process.Signal(signal);
        return process.Wait();
    }

    private static int LineCount(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using StreamReader reader = new(file);
        return reader.ReadToEnd().Count(c => c == '\n');
    }

    private (int ExitCode, string Output, string Error) Program(params string[] arguments) => ProgramProcess.Run(_folder, arguments);
}
