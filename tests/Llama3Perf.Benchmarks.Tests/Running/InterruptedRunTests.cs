using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>What ends a run leaves its finished launches, readable, and the run goes on from them.</summary>
public sealed class InterruptedRunTests : IDisposable
{
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
        ProgramProcess.SkipIfIgnored(signal);
        (int exitCode, string error) = EndedRun.End(_folder, RunPath, signal, afterLaunches: 5);

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

    private string RunPath => Path.Combine(_folder, "run");

    private (int ExitCode, string Output, string Error) Resume() => ProgramProcess.Run(_folder, ["run", "--resume", RunPath]);
}
