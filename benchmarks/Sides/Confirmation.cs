using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>The second look at red cases: measures them again as the run that showed them was measured.</summary>
internal static class Confirmation
{
    /// <param name="verdict">The verdict with the red cases.</param>
    /// <param name="baseline">Runs of the baseline, which stand where its build is not given.</param>
    /// <param name="current">The run that was judged.</param>
    /// <param name="baselineBuild">Folder of the baseline's program, which is then launched in turn with this one.</param>
    /// <param name="trust">Takes other models than the run had.</param>
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

        string[] arguments =
        [
            .. invocation.Arguments is ["run", ..] ? invocation.Arguments.Skip(1) : invocation.Arguments,
            "--case",
            string.Join(',', cases),
        ];
        string work = Directory.CreateTempSubdirectory("llama3perf-confirm-").FullName;
        try
        {
            SideProgram side = new(
                "current side",
                SuiteProgram.This,
                models.Length > 0 ? [.. arguments, "--expect-model", string.Join(',', models)] : arguments,
                Path.Combine(work, "current"),
                invocation.Directory
            );
            SideProgram[] programs = baselineBuild is null
                ? [side]
                : [side, new("baseline", SuiteProgram.In(baselineBuild), arguments, Path.Combine(work, "baseline"), invocation.Directory)];
            Run[] again = Measure(programs, cases, launches);
            return RegressionGate.Confirm(verdict, baselineBuild is null ? baseline : [again[1]], again[0]);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The folder that a run was read from.</summary>
    public static string FolderOf(Run run) =>
        run.Source is { } path && Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(run.Source ?? ".")) ?? "";

    // As many launches as the run had, each side's as near to the other's as in a block.
    private static Run[] Measure(SideProgram[] programs, string[] cases, int launches)
    {
        IReadOnlyList<ISide> sides = SideProgram.Start(programs, Console.WriteLine);
        try
        {
            BlockOrder order = new(seed: 1);
            for (int launch = 0; launch < launches; launch++)
            {
                foreach (string caseId in order.Shuffled(cases))
                {
                    foreach (ISide side in order.Shuffled(sides))
                    {
                        side.Launch(caseId);
                    }
                }
            }

            Run[] runs = [.. sides.Select(side => side.Complete())];
            return [.. runs.Select(run => RunReader.Read(run.Source!).Single())];
        }
        finally
        {
            foreach (ISide side in sides)
            {
                side.Dispose();
            }
        }
    }
}
