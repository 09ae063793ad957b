using System.Diagnostics;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>
/// Runs far larger than anybody's, by command only: <c>LLAMA3PERF_SCALE=1</c> with <c>--filter-class '*ScaleTests' --output Detailed</c>.
/// Seconds and peak memory are printed; asserted is what does not depend on the machine.
/// </summary>
public sealed class ScaleTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-scale-").FullName;

    public ScaleTests() =>
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable("LLAMA3PERF_SCALE") is { Length: > 0 },
            "takes minutes and gigabytes; LLAMA3PERF_SCALE=1 runs it"
        );

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Two_million_samples_are_compared_in_half_a_gigabyte()
    {
        Write("a", cases: 100, launches: 10, iterations: 1000);
        Write("b", cases: 100, launches: 10, iterations: 1000);
        Assert.InRange(Measure("compare", "a", "b"), 1, 500_000_000);
    }

    [Fact]
    public void The_page_of_five_thousand_cases_twice_has_five_megabytes()
    {
        Write("a", cases: 5000, launches: 3, iterations: 5);
        Write("b", cases: 5000, launches: 3, iterations: 5);
        Measure("report", "a", "b", "--output", "page.html");
        Assert.InRange(new FileInfo(Path.Combine(_folder, "page.html")).Length, 1, 5_000_000);
    }

    private void Write(string name, int cases, int launches, int iterations) =>
        SyntheticRuns
            .Of($"run-{name}", [.. Enumerable.Range(0, cases).Select(i => SyntheticRuns.Case($"pp{i}"))], 1, launches, iterations)
            .With($"run-{name}", sample => sample with { TokenMs = [] })
            .Write(Path.Combine(_folder, name));

    /// <returns>The most memory that the program held, in bytes.</returns>
    private long Measure(params string[] command)
    {
        long start = Stopwatch.GetTimestamp();
        using ProgramProcess program = new(_folder, command);
        long peak = 0;
        while (!program.HasEnded)
        {
            peak = Math.Max(peak, program.PeakBytes);
            Thread.Sleep(20);
        }

        (int exitCode, string output, string error) = program.Wait();
        Assert.True(exitCode == ExitCode.Success, output + error);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{command[0]}: {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s, {peak / 1_000_000} MB at most"
        );
        return peak;
    }
}
