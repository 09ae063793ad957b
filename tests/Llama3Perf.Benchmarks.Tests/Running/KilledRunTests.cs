using System.Text.Json.Nodes;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>What is said of a part of a run, and when it cannot go on. One run is killed for all of these.</summary>
public sealed class KilledRunTests : IClassFixture<KilledRunTests.KilledRun>, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-killed-").FullName;

    public KilledRunTests(KilledRun killed)
    {
        Directory.CreateDirectory(RunPath);
        foreach (string file in Directory.EnumerateFiles(killed.Path))
        {
            File.Copy(file, Path.Combine(RunPath, Path.GetFileName(file)));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_report_says_that_it_shows_a_part()
    {
        (int exitCode, _, string error) = ProgramProcess.Run(
            _folder,
            ["report", RunPath, "--output", Path.Combine(_folder, "report.html")]
        );

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains("was interrupted", File.ReadAllText(Path.Combine(_folder, "report.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_without_tables_yet_is_told_from_any_folder_and_goes_on()
    {
        foreach (string table in Directory.EnumerateFiles(RunPath, "*.csv"))
        {
            File.Delete(table);
        }

        (int exitCode, _, string error) = ProgramProcess.Run(_folder, ["compare", RunPath, RunPath]);

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains(
            $"holds an interrupted run that has no samples.csv yet; to go on with it: run --resume {RunPath}",
            error,
            StringComparison.Ordinal
        );
        Assert.Equal(ExitCode.Success, ProgramProcess.Run(_folder, ["run", "--resume", RunPath]).ExitCode);
    }

    [Theory]
    [InlineData("another machine", "it was begun on another machine")]
    [InlineData("options", "a run goes on with the options that it was begun with")]
    [InlineData("library", "--trust-invocation")]
    [InlineData("complete", "is not the folder of an interrupted run")]
    public void What_cannot_go_on_says_why(string flaw, string expected)
    {
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

        (int exitCode, _, string error) = ProgramProcess.Run(_folder, ["run", "--resume", RunPath, .. more]);

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

    public sealed class KilledRun : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("l3p-killed-").FullName;

        public KilledRun() => EndedRun.End(_folder, Path, "KILL", afterLaunches: 3);

        public string Path => System.IO.Path.Combine(_folder, "run");

        public void Dispose() => Directory.Delete(_folder, recursive: true);
    }
}
