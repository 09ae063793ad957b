using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>Shows what a run would measure: <c>--dry-run</c>.</summary>
internal static class PlanDisplay
{
    public static void Show(SuitePlan plan, SuiteOptions options, TimeEstimate time)
    {
        PlannedCase[] cases = [.. plan.Runnable];
        var names = CaseNames.Among(cases.Select(planned => planned.Key));
        Screen.Table(
            new TextTable(
                [new("case", false), new("model", false), new("where", false), new("about", true)],
                [
                    .. cases.Select(planned =>
                        (string[])
                            [
                                names.Of(planned.Key),
                                planned.Key.ModelName,
                                $"{planned.Key.Engine} on {planned.Key.Provider}",
                                planned.BenchProgram is null ? Plain.Duration(time.Launch(planned) * options.Launches) : "",
                            ]
                    ),
                ]
            )
        );
        ProgressDisplay.ShowProblems(plan);
        double build = options.Isolation == Isolation.Process && cases.Length > 0 ? TimeEstimate.BuildSeconds : 0;
        Screen.Line(
            $"{Plain.Counted(cases.Length, "case")}, {ProgressDisplay.Effort(options)}: about {Plain.Duration(time.Left(_ => 0) + build)}, "
                + "building or converting models aside. Nothing was measured."
        );
    }
}
