using System.CommandLine;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Comparison;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>compare</c>: runs side by side, driver against driver or commit against commit.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        ComparisonOptions defaults = new();
        Argument<string[]> runs = ResultsVerb.Runs(1);
        Option<IReadOnlyList<string>?> vary = OptionFactory.List(
            "--vary",
            "Field that the runs differ in: gpu_driver_version, ort_version, build_commit, engine, threads, ... Default: the one they "
                + "differ in.",
            OptionFactory.Text,
            "fields"
        );
        Option<string?> baseline = OptionFactory.Value(
            "--baseline",
            "Position from 1, run id or path of the run that the others are held against. Default: the first.",
            OptionFactory.Text,
            "run"
        );
        Option<IReadOnlyList<string>?> metrics = OptionFactory.List(
            "--metric",
            $"Default: {string.Join(",", defaults.Metrics)}.",
            OptionFactory.Text,
            "list"
        );
        Option<double?> threshold = OptionFactory.Value<double?>(
            "--threshold",
            "Change that matters: a pass excludes a loss of it. Default: 5%.",
            text => ResultsVerb.Share(text),
            "share"
        );
        Option<double?> alpha = OptionFactory.Value<double?>(
            "--alpha",
            "Error rate of the verdicts. Default: 0.01.",
            text => ResultsVerb.Share(text),
            "share"
        );
        Option<string?> noise = OptionFactory.Value(
            "--noise",
            "Noise record of this machine (the verb noise writes it): decides where launches are few.",
            OptionFactory.Text,
            "file"
        );
        Option<string?> output = OptionFactory.Value("--output", "Folder for comparison.md, .csv and .json.", OptionFactory.Text, "folder");
        Command command = new(
            "compare",
            "Compares runs: medians with intervals, ratios to a baseline, pass, regression, faster or inconclusive, as the gate judges "
                + "them."
        )
        {
            runs,
            vary,
            baseline,
            metrics,
            threshold,
            alpha,
            noise,
            output,
        };
        command.SetAction(parsed =>
        {
            IReadOnlyList<string> compared = parsed.GetValue(metrics) ?? defaults.Metrics;
            RunComparison comparison = RunComparison.Of(
                ResultsVerb.Read(parsed.GetRequiredValue(runs), metrics: compared),
                defaults with
                {
                    Vary = parsed.GetValue(vary) ?? [],
                    Baseline = parsed.GetValue(baseline),
                    Metrics = compared,
                    Threshold = parsed.GetValue(threshold) ?? defaults.Threshold,
                    Alpha = parsed.GetValue(alpha) ?? defaults.Alpha,
                    Noise = parsed.GetValue(noise) is { } file ? NoiseRecord.Read(file) : null,
                }
            );
            Show(comparison, parsed.GetValue(output));
            return ExitCode.Success;
        });
        return command;
    }

    private static void Show(RunComparison comparison, string? output)
    {
        Console.WriteLine(
            comparison.Vary.Count > 0
                ? $"Compared over {string.Join(", ", comparison.Vary)}."
                : "The runs differ in nothing but when they were made."
        );
        ResultDisplay.ShowTable(ComparisonTable.Of(comparison));
        foreach (string note in ComparisonTable.Notes(comparison))
        {
            Console.WriteLine(note);
        }

        if (output is not null)
        {
            foreach (string file in ComparisonFiles.Write(comparison, Path.GetFullPath(output)))
            {
                Console.WriteLine(file);
            }
        }
    }
}
