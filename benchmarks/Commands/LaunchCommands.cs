using System.CommandLine;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>The verbs that the suite calls itself by: a side of <c>ab</c>, and a launch.</summary>
internal static class LaunchCommands
{
    /// <summary><c>launch</c>: one launch of a case of the plan that the environment names.</summary>
    public static Command Launch()
    {
        Option<string?> planned = OptionFactory.Value("--case", "The case.", OptionFactory.Text, "case_id");
        Option<int?> warmups = OptionFactory.Value<int?>("--warmup", "Least warm-ups.", text => OptionFactory.Integer(0)(text), "n");
        Option<int?> iterations = OptionFactory.Value<int?>("--iterations", "Iterations.", text => OptionFactory.Integer(1)(text), "n");
        Option<bool> bare = OptionFactory.Flag("--bare", "By a loop without BenchmarkDotNet.");
        Option<bool> turns = OptionFactory.Flag("--turns", "Makes each generation when its input has a line.");
        planned.Required = true;
        Command command = new(OwnLaunch.Verb, "Launches a case of a plan once; for other verbs.")
        {
            planned,
            warmups,
            iterations,
            bare,
            turns,
        };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            (string caseId, int least, int count) = (
                parsed.GetRequiredValue(planned)!,
                parsed.GetValue(warmups) ?? 1,
                parsed.GetValue(iterations) ?? 5
            );
            Environment.SetEnvironmentVariable(Turns.Variable, parsed.GetValue(turns) ? Turns.Input : "");
            return parsed.GetValue(bare) ? SingleLaunch.RunBare(caseId, least, count) : SingleLaunch.Run(caseId, least, count);
        });
        return command;
    }

    /// <summary><c>serve-launches</c>: a side.</summary>
    public static Command Serve()
    {
        RunCommand run = new();
        Option<bool> protocol = OptionFactory.Flag(LaunchServer.ProtocolOption, "Prints the version of the conversation.");
        Command command = new(LaunchServer.Verb, "A side of ab; for ab.") { protocol };
        command.Hidden = true;
        run.AddOptionsTo(command, []);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(protocol))
            {
                Console.WriteLine(SideMessage.Protocol);
                return ExitCode.Success;
            }

            run.UseRuntime(parsed);
            SuiteOptions options = run.Read(parsed) with { Isolation = Isolation.Process, Order = LaunchOrder.Random };
            return LaunchServer.Serve(
                options with
                {
                    Output = options.Output ?? throw new UsageException("--output: a side needs its folder"),
                },
                Console.In,
                message => Console.WriteLine(message.Format())
            );
        });
        return command;
    }
}
