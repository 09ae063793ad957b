using System.CommandLine;
using System.Diagnostics;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Gate;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>simulate-gate</c>: how often the shipped rule errs and how often it does not know, on simulated runs.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        SimulationGrid defaults = new();
        Option<IReadOnlyList<(int, int)>?> designs = OptionFactory.List(
            "--design",
            "Launches x iterations a side. Default: 3x5,5x5,10x3.",
            DesignOf,
            "LxI,..."
        );
        Option<IReadOnlyList<double>?> between = OptionFactory.List(
            "--between",
            "Standard deviations between launches. Default: 0%,1%,2%,5%,10%.",
            ResultsVerb.Share,
            "shares"
        );
        Option<IReadOnlyList<double>?> within = OptionFactory.List(
            "--within",
            "Standard deviations within a launch. Default: 1%,5%.",
            ResultsVerb.Share,
            "shares"
        );
        Option<double?> threshold = OptionFactory.Value<double?>(
            "--threshold",
            "The gate's threshold. Default: 5%.",
            text => ResultsVerb.Share(text),
            "share"
        );
        Option<double?> alpha = OptionFactory.Value<double?>(
            "--alpha",
            "The gate's error rate. Default: 0.01.",
            text => ResultsVerb.Share(text),
            "share"
        );
        Option<int?> recorded = OptionFactory.Value<int?>(
            "--noise-launches",
            "Launches of a noise record of the machine, which designs of fewer than three launches need. Default: none.",
            text => OptionFactory.Integer(2, 1000)(text),
            "n"
        );
        Option<int?> blocks = OptionFactory.Value<int?>(
            "--blocks",
            "Simulates a measurement in blocks that stops when it is decided, as ab does, with this many blocks at most and --between as "
                + "their spread.",
            text => OptionFactory.Integer(2, 10_000)(text),
            "n"
        );
        Option<int?> trials = OptionFactory.Value<int?>(
            "--trials",
            $"Comparisons simulated for each figure. Default: {defaults.Options.Trials}, in blocks {new SequentialSimulation().Trials}.",
            text => OptionFactory.Integer(1, 10_000_000)(text),
            "n"
        );
        Command command = new("simulate-gate", "How often the gate's rule errs, and how often it does not know, on simulated runs.")
        {
            designs,
            between,
            within,
            threshold,
            alpha,
            recorded,
            blocks,
            trials,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(blocks) is { } most)
            {
                SequentialSimulation sequential = new();
                Screen.Table(
                    (
                        sequential with
                        {
                            MostBlocks = most,
                            BlockSds = parsed.GetValue(between) ?? sequential.BlockSds,
                            Threshold = parsed.GetValue(threshold) ?? sequential.Threshold,
                            Alpha = parsed.GetValue(alpha) ?? sequential.Alpha,
                            Trials = parsed.GetValue(trials) ?? sequential.Trials,
                        }
                    ).Table(EveryTwoSeconds("rows"))
                );
                return ExitCode.Success;
            }

            SimulationGrid grid = defaults with
            {
                Designs = parsed.GetValue(designs) ?? defaults.Designs,
                BetweenSds = parsed.GetValue(between) ?? defaults.BetweenSds,
                WithinSds = parsed.GetValue(within) ?? defaults.WithinSds,
                Options = defaults.Options with
                {
                    Threshold = parsed.GetValue(threshold) ?? defaults.Options.Threshold,
                    Alpha = parsed.GetValue(alpha) ?? defaults.Options.Alpha,
                    RecordedLaunches = parsed.GetValue(recorded) ?? 0,
                    Trials = parsed.GetValue(trials) ?? defaults.Options.Trials,
                },
            };
            Screen.Table(grid.Run(EveryTwoSeconds("rows")));
            return ExitCode.Success;
        });
        return command;
    }

    private static Action<int, int> EveryTwoSeconds(string what)
    {
        Stopwatch silent = Stopwatch.StartNew();
        return (done, all) =>
        {
            if (silent.Elapsed.TotalSeconds >= 2)
            {
                Console.Error.WriteLine($"{done} of {all} {what}");
                silent.Restart();
            }
        };
    }

    private static (int Launches, int Iterations) DesignOf(string text)
    {
        string[] parts = text.Split('x');
        return parts.Length == 2
            ? (OptionFactory.Integer(1, 1000)(parts[0]), OptionFactory.Integer(1, 1000)(parts[1]))
            : throw new UsageException($"'{text}' is not of the form 3x5, launches x iterations");
    }
}
