using System.ComponentModel;
using System.Diagnostics;
using Llama3Perf.Results;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>The second look at red cases: measures them again as the run that showed them was measured.</summary>
internal static class Confirmation
{
    public static GateVerdict Measure(GateVerdict verdict, IReadOnlyList<Run> baseline, Run current, string? baselineBuild, bool trust)
    {
        RunInvocation invocation = RunInvocation.Read(FolderOf(current));
        string[] models = trust
            ? []
            : [.. current.Cases.Select(outcome => outcome.Case.ModelSha256).OfType<string>().Distinct(StringComparer.Ordinal)];
        string[] cases =
        [
            .. verdict.Checks.Where(check => check.Outcome == MetricVerdict.Regression).Select(check => check.CaseId).Distinct(),
        ];
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
                    baselineAgain.Add(Launch(ProgramIn(baselineBuild), invocation, cases, [], Path.Combine(work, $"baseline-{launch}")));
                }

                again.Add(Launch(ThisProgram(), invocation, cases, models, Path.Combine(work, $"current-{launch}")));
            }

            return RegressionGate.Confirm(verdict, baselineBuild is null ? baseline : [Join(baselineAgain)], Join(again));
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The folder that a run was read from.</summary>
    public static string FolderOf(Run run) =>
        run.Source is { } path && Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(run.Source ?? ".")) ?? "";

    private static Run Launch(string[] program, RunInvocation invocation, string[] cases, string[] models, string output)
    {
        ProcessStartInfo start = new(
            program[0],
            [
                .. program.Skip(1),
                .. invocation.Arguments,
                "--launches",
                "1",
                "--case",
                string.Join(',', cases),
                "--output",
                output,
                .. models.Length > 0 ? (string[])["--expect-model", string.Join(',', models)] : [],
            ]
        )
        {
            WorkingDirectory = invocation.Directory,
        };
        using Process process = Start(start);
        process.WaitForExit();
        return process.ExitCode == 0
            ? RunReader.Read(output).Single()
            : throw new RunFileException($"measuring again failed: {program[0]} ended with exit code {process.ExitCode}");
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception exception)
        {
            throw new RunFileException(
                $"--confirm cannot start {start.FileName} in {start.WorkingDirectory}: {exception.Message}",
                exception
            );
        }
    }

    /// <summary>Runs of one launch each as one run of several.</summary>
    internal static Run Join(IReadOnlyList<Run> launches)
    {
        Run first = launches[0];
        return first with { Cases = [.. first.Cases.Select(outcome => Join(outcome, launches))] };
    }

    private static CaseOutcome Join(CaseOutcome first, IReadOnlyList<Run> launches)
    {
        CaseOutcome[] outcomes =
        [
            .. launches.Select(run =>
                run.Cases.SingleOrDefault(other => other.CaseId == first.CaseId)
                ?? throw new RunFileException($"measuring again failed: a launch did not measure {first.CaseId}")
            ),
        ];

        // What one launch does not measure is not measured.
        CaseOutcome told = Array.Find(outcomes, outcome => outcome.Status != CaseStatus.Ok) ?? first;
        return told with
        {
            Case = first.Case,
            Samples =
            [
                .. outcomes.SelectMany(
                    (outcome, index) =>
                        outcome.Samples.Select(sample =>
                            sample with
                            {
                                Run = launches[0].Identity,
                                Environment = launches[0].Environment,
                                Case = first.Case,
                                LaunchIndex = index + 1,
                            }
                        )
                ),
            ],
        };
    }

    // Not the process's own file, which may be a host: dotnet, or the runner of the tests.
    private static string[] ThisProgram()
    {
        string program = ProgramPath(AppContext.BaseDirectory);
        return File.Exists(program) ? [program] : ["dotnet", typeof(Confirmation).Assembly.Location];
    }

    private static string[] ProgramIn(string folder)
    {
        string program = ProgramPath(Path.GetFullPath(folder));
        return File.Exists(program) ? [program] : throw new RunFileException($"--baseline-build: there is no {program}");
    }

    private static string ProgramPath(string folder)
    {
        string name = typeof(Confirmation).Assembly.GetName().Name!;
        return Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name);
    }
}
