using System.CommandLine;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Jobs;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The verb of measuring processes that are this program; hidden, for it needs the plan of a run.</summary>
internal static class LaunchCommand
{
    public static Command Create()
    {
        Argument<string> caseId = new("case");
        Argument<int> warmups = new("warmups");
        Argument<int> iterations = new("iterations");
        Command command = new(OwnLaunch.Verb, "One launch of one case.") { caseId, warmups, iterations };
        command.Hidden = true;
        command.SetAction(parsed =>
            OwnLaunch.Run(
                typeof(GenerationBenchmarks),
                parsed.GetRequiredValue(caseId),
                parsed.GetRequiredValue(warmups),
                parsed.GetRequiredValue(iterations)
            )
        );
        return command;
    }
}
