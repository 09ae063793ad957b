using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Engines.LlamaBench;

/// <summary>One file through a user's llama-bench and through engine llama.cpp with the libraries beside that program.</summary>
public sealed class LlamaBenchAgreementTests : IDisposable
{
    /// <summary>A llama-bench, and a machine that is quiet enough to time it.</summary>
    private const string Variable = "LLAMA3PERF_TEST_LLAMA_BENCH";

    private const double Tolerance = 0.15;

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-bench-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void One_file_is_as_fast_through_both()
    {
        string? program = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(program), $"times a llama-bench on a quiet machine; {Variable} names one");

        (int exitCode, string output, string error) = ProgramProcess.Run(
            _folder,
            [
                "run",
                "--engine",
                "llama.cpp,llama-bench",
                "--llama-bench",
                program!,
                "--runtime-dir",
                Path.GetDirectoryName(Path.GetFullPath(program!))!,
                "--model",
                "llama-125m",
                "--precision",
                "int4",
                "--prompt",
                "pp128",
                "--verify",
                "off",
                "--isolation",
                "none",
                "--output",
                "run",
            ]
        );

        Assert.True(exitCode == ExitCode.Success, output + error);
        IReadOnlyList<CaseOutcome> cases = RunReader.Read(Path.Combine(_folder, "run")).Single().Cases;
        Assert.Equal(["llama.cpp", "llama-bench"], cases.Select(outcome => outcome.Case.Engine));
        AssertAlike(cases, sample => sample.DecodeTps);
        AssertAlike(cases, sample => sample.PrefillTps);
    }

    private static void AssertAlike(IReadOnlyList<CaseOutcome> cases, Func<Sample, double?> rate)
    {
        double[] medians = [.. cases.Select(outcome => Median([.. outcome.Samples.Select(rate).OfType<double>().Order()]))];

        Assert.InRange(medians[0] / medians[1], 1 - Tolerance, 1 + Tolerance);
    }

    private static double Median(double[] sorted) => (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
