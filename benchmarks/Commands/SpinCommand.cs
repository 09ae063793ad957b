using System.CommandLine;
using Llama3Perf.Benchmarks.Pairs;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary><c>spin</c>: the experiment that the default of <c>--spin</c> comes from.</summary>
internal static class SpinCommand
{
    public static Command Create()
    {
        Option<IReadOnlyList<string>?> models = OptionFactory.List(
            "--model",
            "Shape names or model folders. Default: llama-125m.",
            OptionFactory.Model,
            "name|path"
        );
        Option<IReadOnlyList<int>?> busy = OptionFactory.List(
            "--busy",
            "Numbers of busy processes beside the measurement. Default: 0,1,2.",
            OptionFactory.Integer(0, 1024),
            "list"
        );
        Option<int?> runs = OptionFactory.Value<int?>(
            "--runs",
            "Runs of each way. Default: 20.",
            text => OptionFactory.Integer(1, 1000)(text),
            "n"
        );
        Option<int?> threads = OptionFactory.Value<int?>(
            "--threads",
            "Default: one for each physical core.",
            text => OptionFactory.Integer(1, 1024)(text),
            "n"
        );
        Option<IReadOnlyList<string>?> prompts = OptionFactory.Prompts("Text, @file.txt or ppN; repeatable. Default: pp128.");
        Option<int?> newTokens = OptionFactory.Value<int?>(
            "--new-tokens",
            "New tokens a generation. Default: 64.",
            text => OptionFactory.Integer(2)(text),
            "n"
        );
        Option<int?> seed = OptionFactory.Value<int?>("--seed", "Of the order. Default: 1.", text => OptionFactory.Integer(0)(text), "n");
        Option<bool> busyLoop = OptionFactory.Flag("--busy-loop", "Keeps a processor busy until standard input ends.");
        busyLoop.Hidden = true;
        Command command = new("spin", "Measures how ONNX Runtime's threads should wait, alone and beside busy processes.")
        {
            models,
            busy,
            runs,
            threads,
            prompts,
            newTokens,
            seed,
            busyLoop,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(busyLoop))
            {
                SpinExperiment.BusyLoop();
                return ExitCode.Success;
            }

            MeasurableBuild.Require();
            SuiteOptions options = new()
            {
                Models = parsed.GetValue(models) ?? ["llama-125m"],
                UsualPrecisions = [Precision.Int4],
                Engines = ["ort"],
                Spin = "on",
                Providers = [ExecutionProvider.Cpu],
                Prompts = parsed.GetValue(prompts) ?? ["pp128"],
                NewTokens = parsed.GetValue(newTokens) ?? 64,
                Threads = parsed.GetValue(threads),
            };
            SpinExperiment.Show(options, parsed.GetValue(runs) ?? 20, parsed.GetValue(busy) ?? [0, 1, 2], parsed.GetValue(seed) ?? 1);
            return ExitCode.Success;
        });
        return command;
    }
}
