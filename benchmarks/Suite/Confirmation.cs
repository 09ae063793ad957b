using System.Diagnostics;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Suite;

/// <summary>The second look at red cases: measures them again as the run that showed them was measured.</summary>
internal static class Confirmation
{
    public static GateVerdict Measure(GateVerdict verdict, IReadOnlyList<Run> baseline, Run current, string? baselineBuild)
    {
        string source = current.Source is { } path && Directory.Exists(path) ? path : Path.GetDirectoryName(current.Source) ?? "";
        RunInvocation invocation = RunInvocation.Read(source);
        string[] cases = [.. verdict.RedCases.Select(CaseId.For)];
        int launches = current.Cases.SelectMany(outcome => outcome.Samples).Max(sample => sample.LaunchIndex);
        Console.WriteLine($"Measuring {cases.Length} red cases again: {string.Join(", ", cases)}");

        string work = Directory.CreateTempSubdirectory("llama3perf-confirm-").FullName;
        try
        {
            List<Run> again = [];
            List<Run> baselineAgain = [];
            for (int launch = 1; launch <= launches; launch++)
            {
                if (baselineBuild is not null)
                {
                    baselineAgain.Add(Launch(ProgramIn(baselineBuild), invocation, cases, Path.Combine(work, $"baseline-{launch}")));
                }

                again.Add(Launch(ThisProgram(), invocation, cases, Path.Combine(work, $"current-{launch}")));
            }

            return RegressionGate.Confirm(verdict, baselineBuild is null ? baseline : [Join(baselineAgain)], Join(again));
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static Run Launch(string[] program, RunInvocation invocation, string[] cases, string output)
    {
        ProcessStartInfo start = new(program[0], [.. program.Skip(1), .. invocation.Arguments, "--launches", "1", "--case", string.Join(',', cases), "--output", output])
        {
            WorkingDirectory = invocation.Directory,
        };
        using Process process = Process.Start(start) ?? throw new RunFileException($"{program[0]} could not be started");
        process.WaitForExit();
        return process.ExitCode == 0
            ? RunReader.Read(output).Single()
            : throw new RunFileException($"measuring again failed: {program[0]} ended with exit code {process.ExitCode}");
    }

    /// <summary>Runs of one launch each as one run of several.</summary>
    internal static Run Join(IReadOnlyList<Run> launches)
    {
        Run first = launches[0];
        IEnumerable<CaseOutcome> outcomes = first.Cases.Select(outcome => outcome with
        {
            Samples =
            [
                .. launches.SelectMany((run, index) => run.Cases.Single(other => other.CaseId == outcome.CaseId).Samples
                    .Select(sample => sample with { Run = first.Identity, Environment = first.Environment, Case = outcome.Case, LaunchIndex = index + 1 })),
            ],
        });
        return first with { Cases = [.. outcomes] };
    }

    private static string[] ThisProgram()
    {
        string host = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(host) == "dotnet" ? [host, Environment.GetCommandLineArgs()[0]] : [host];
    }

    private static string[] ProgramIn(string folder)
    {
        string name = typeof(Confirmation).Assembly.GetName().Name!;
        string program = Path.Combine(Path.GetFullPath(folder), OperatingSystem.IsWindows() ? name + ".exe" : name);
        return File.Exists(program) ? [program] : throw new RunFileException($"--baseline-build: there is no {program}");
    }
}
