using System.Diagnostics;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Sides;

/// <summary>The verb <c>ab</c>, ended before its time.</summary>
public sealed class EndedAbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-ab-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task What_ends_it_leaves_the_launches_so_far(string signal, int expectedExitCode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs kill");
        ProgramProcess.SkipIfIgnored(signal);
        using Process process = SuiteProgram.This.Start([
            "ab",
            .. AbTests.Small[..^2],
            "--baseline-options",
            "--spin off",
            "--output",
            PathOf(""),
        ]);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        while (!process.HasExited && !(HasLaunch("baseline") && HasLaunch("current")))
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        await Process.Start("kill", [$"-{signal}", $"{process.Id}"]).WaitForExitAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.True(process.ExitCode == expectedExitCode, await output + await error);
        Assert.Contains($"interrupted; the launches so far are in {PathOf("baseline")}", await error, StringComparison.Ordinal);
        Assert.All(
            (string[])["baseline", "current"],
            side =>
            {
                CaseOutcome outcome = Assert.Single(RunReader.Read(PathOf(side)).Single().Cases);
                Assert.Equal(CaseStatus.Interrupted, outcome.Status);
                Assert.NotEmpty(outcome.Samples);
            }
        );
    }

    // The tables are written when the launch is in the journal.
    private bool HasLaunch(string side) => Directory.Exists(Path.Combine(PathOf(side), "launch"));

    private string PathOf(string name) => Path.TrimEndingDirectorySeparator(Path.Combine(_folder, "ab", name));
}
