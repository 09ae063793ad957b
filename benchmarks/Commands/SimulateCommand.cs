using System.CommandLine;
using System.Globalization;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>simulate-gate</c>: how often the shipped rule raises a false alarm and how often it finds a loss, on simulated runs.</summary>
internal static class SimulateCommand
{
    public static Command Create()
    {
        SimulationOptions defaults = new();
        Option<int?> launches = OptionFactory.Value<int?>("--launches", $"Launches a side. Default: {defaults.Launches}.", text => OptionFactory.Integer(1, 100)(text), "n");
        Option<int?> iterations = OptionFactory.Value<int?>("--iterations", $"Iterations a launch. Default: {defaults.Iterations}.", text => OptionFactory.Integer(1, 1000)(text), "n");
        Option<double?> between = OptionFactory.Value<double?>("--between", "Standard deviation between launches. Default: 1%.", text => ResultsVerb.Share(text), "share");
        Option<double?> within = OptionFactory.Value<double?>("--within", "Standard deviation within a launch. Default: 1%.", text => ResultsVerb.Share(text), "share");
        Option<double?> threshold = OptionFactory.Value<double?>("--threshold", "The gate's threshold. Default: 5%.", text => ResultsVerb.Share(text), "share");
        Option<int?> trials = OptionFactory.Value<int?>("--trials", $"Comparisons simulated. Default: {defaults.Trials}.", text => OptionFactory.Integer(1, 10_000_000)(text), "n");
        Command command = new("simulate-gate", "False alarms and detections of the gate's rule on simulated runs.")
        {
            launches, iterations, between, within, threshold, trials,
        };
        command.SetAction(parsed =>
        {
            SimulationOptions options = defaults with
            {
                Launches = parsed.GetValue(launches) ?? defaults.Launches,
                Iterations = parsed.GetValue(iterations) ?? defaults.Iterations,
                BetweenSd = parsed.GetValue(between) ?? defaults.BetweenSd,
                WithinSd = parsed.GetValue(within) ?? defaults.WithinSd,
                Threshold = parsed.GetValue(threshold) ?? defaults.Threshold,
                Trials = parsed.GetValue(trials) ?? defaults.Trials,
            };
            ResultDisplay.ShowTable(new TextTable(
                [new("true loss", true), new("red", true), new("red twice", true)],
                [.. new[] { 0, 0.05, 0.07, 0.1 }.Select(loss => Row(options with { Loss = loss }))]));
            return ExitCode.Success;
        });
        return command;
    }

    private static string[] Row(SimulationOptions options)
    {
        SimulationResult result = GateSimulation.Run(options);
        return [Percent(options.Loss, "0"), Percent(result.RedRate, "0.00"), Percent(result.ConfirmedRate, "0.00")];
    }

    private static string Percent(double share, string format) => (share * 100).ToString(format, CultureInfo.InvariantCulture) + " %";
}
