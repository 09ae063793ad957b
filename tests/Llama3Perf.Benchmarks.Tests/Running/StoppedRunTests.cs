using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>A generation during which the process was stopped is no measurement.</summary>
public sealed class StoppedRunTests : IDisposable
{
    private const int Iterations = 250;

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-stopped-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_was_stopped_is_measured_again()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs kill and /proc");
        string path = Path.Combine(_folder, "run");
        using ProgramProcess process = new(
            _folder,
            [
                .. "run --engine ort --isolation none --model llama-tiny --precision int4 --prompt pp8 --max-length 72".Split(' '),
                .. $"--launches 1 --iterations {Iterations} --warmup 0 --output".Split(' '),
                path,
            ]
        );

        while (!process.HasEnded && !File.Exists(Path.Combine(path, "plan.json")))
        {
            Thread.Sleep(20);
        }

        // Its iterations take longer than two turns of this, so that one of them at least is met.
        while (!process.HasEnded)
        {
            Thread.Sleep(500);
            process.SignalAll("STOP");
            Thread.Sleep(350);
            process.SignalAll("CONT");
        }

        (int exitCode, string output, string error) = process.Wait();

        Assert.True(exitCode == ExitCode.Success, output + error);
        CaseOutcome outcome = Assert.Single(RunReader.Read(path).Single().Cases);
        Assert.Equal((CaseStatus.Ok, Iterations), (outcome.Status, outcome.Samples.Count));
        Assert.InRange(outcome.Samples.Sum(sample => sample.StoppedAttempts) ?? 0, 1, 3);
        Assert.Contains(
            "thrown away and measured again",
            File.ReadAllText(Path.Combine(path, RunFolder.Markdown)),
            StringComparison.Ordinal
        );
    }
}
