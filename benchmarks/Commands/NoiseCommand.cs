using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Comparison;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>noise</c>: what a machine's figures do when nothing changed.</summary>
internal static class NoiseCommand
{
    public static Command Create()
    {
        NoiseOptions defaults = new();
        Argument<string[]> runs = ResultsVerb.Runs(1);
        Option<IReadOnlyList<string>?> metrics = OptionFactory.List(
            "--metric",
            $"Default: {string.Join(",", defaults.Metrics)}.",
            OptionFactory.Text,
            "list"
        );
        Option<int?> launches = OptionFactory.Value<int?>(
            "--launches",
            $"Launches a side of the gate to come. Default: {defaults.Launches}.",
            text => OptionFactory.Integer(1, 1000)(text),
            "n"
        );
        Option<int?> iterations = OptionFactory.Value<int?>(
            "--iterations",
            $"Iterations a launch of that gate. Default: {defaults.Iterations}.",
            text => OptionFactory.Integer(1, 10_000)(text),
            "n"
        );
        Option<double?> threshold = OptionFactory.Value<double?>(
            "--threshold",
            "That gate's threshold. Default: 5%.",
            text => ResultsVerb.Share(text),
            "share"
        );
        Option<double?> alpha = OptionFactory.Value<double?>(
            "--alpha",
            "That gate's error rate. Default: 0.01.",
            text => ResultsVerb.Share(text),
            "share"
        );
        Option<string?> output = OptionFactory.Value("--output", "File for the gate's --noise.", OptionFactory.Text, "file");
        Option<bool> force = OptionFactory.Force();
        Command command = new(
            "noise",
            "From A/A runs (one build, one machine, ten launches or more): the noise floor of each case and the smallest regression that a "
                + "gate finds."
        )
        {
            runs,
            metrics,
            launches,
            iterations,
            threshold,
            alpha,
            output,
            force,
        };
        command.SetAction(parsed =>
        {
            NoiseRecord record = NoiseRecord.Measure(
                ResultsVerb.Read(parsed.GetRequiredValue(runs)),
                defaults with
                {
                    Metrics = parsed.GetValue(metrics) ?? defaults.Metrics,
                    Launches = parsed.GetValue(launches) ?? defaults.Launches,
                    Iterations = parsed.GetValue(iterations) ?? defaults.Iterations,
                    Threshold = parsed.GetValue(threshold) ?? defaults.Threshold,
                    Alpha = parsed.GetValue(alpha) ?? defaults.Alpha,
                }
            );
            Screen.Table(record.ToTable());
            if (parsed.GetValue(output) is { } file)
            {
                record.Write(Path.GetFullPath(file), parsed.GetValue(force));
                Console.WriteLine(Path.GetFullPath(file));
            }

            return ExitCode.Success;
        });
        return command;
    }
}
