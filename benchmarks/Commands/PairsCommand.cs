using System.CommandLine;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Pairs;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>
/// <c>pairs</c>: two engines on the same folder, generation by generation in turn in one process; with <c>--overhead</c> the suite
/// itself against a bare loop over the same engine, launch by launch. What the README's ratios come from.
/// </summary>
internal static class PairsCommand
{
    public static Command Create()
    {
        Option<string?> model = OptionFactory.Value(
            "--model",
            "Shape name, config.json or GenAI model folder. Default: llama-125m.",
            OptionFactory.Model,
            "name|path"
        );
        Option<Precision?> precision = OptionFactory.Value<Precision?>(
            "--precision",
            "Weights of a shape. Default: int4.",
            text => OptionFactory.PrecisionOf(text),
            "name"
        );
        Option<IReadOnlyList<string>?> engines = OptionFactory.List(
            "--engine",
            "The two engines, A,B. Default: ort,genai.",
            name => EngineCatalog.Get(name).Name,
            "A,B"
        );
        Option<ExecutionProvider?> provider = NativeSettings.Provider("--provider", "Default: cpu.");
        Option<IReadOnlyList<string>?> prompts = OptionFactory.Prompts("Text, @file.txt or ppN; repeatable. Default: pp15,pp512.");
        Option<int?> newTokens = OptionFactory.Value<int?>(
            "--new-tokens",
            "New tokens a generation. Default: 128.",
            text => OptionFactory.Integer(1)(text),
            "n"
        );
        Option<int?> pairs = OptionFactory.Value<int?>(
            "--pairs",
            "Pairs of generations. Default: 11.",
            text => OptionFactory.Integer(1, 1000)(text),
            "n"
        );
        Option<bool> overhead = OptionFactory.Flag(
            "--overhead",
            "A is the suite, B a bare loop over the same engine, each in a process of its own; a pair is a launch of each, whose "
                + "generations take turns."
        );
        Option<Isolation?> isolation = OptionFactory.Value<Isolation?>(
            "--isolation",
            "Of the suite with --overhead: process (BenchmarkDotNet's children) or none. Default: none.",
            OptionFactory.OneOf<Isolation?>(("process", Isolation.Process), ("none", Isolation.None)),
            "process|none"
        );
        EngineSettings settings = new();
        NativeSettings native = new();
        Command command = new("pairs", "Compares two engines generation by generation, in turn, in one process.")
        {
            model,
            precision,
            engines,
            provider,
            prompts,
            newTokens,
            pairs,
            overhead,
            isolation,
        };
        native.AddTo(command);
        settings.AddTo(command);

        command.SetAction(parsed =>
        {
            MeasurableBuild.Require();
            native.Use(parsed);
            IReadOnlyList<string> names = parsed.GetValue(engines) ?? (parsed.GetValue(overhead) ? ["ort"] : ["ort", "genai"]);
            int count = parsed.GetValue(pairs) ?? 11;
            int tokens = parsed.GetValue(newTokens) ?? 128;
            SuiteOptions options = new()
            {
                Models = [parsed.GetValue(model) ?? "llama-125m"],
                Precisions =
                    parsed.GetValue(precision) is { } asked ? [asked]
                    : Directory.Exists(parsed.GetValue(model)) ? null
                    : [Precision.Int4],
                Engines = names,
                Providers = [parsed.GetValue(provider) ?? ExecutionProvider.Cpu],
                Prompts = parsed.GetValue(prompts) ?? ["pp15", "pp512"],
                NewTokens = tokens,
                Isolation = parsed.GetValue(isolation) ?? Isolation.None,
            };
            options = settings.Over(options, parsed);
            if (parsed.GetValue(overhead))
            {
                SuiteOverhead.Show(options, count);
            }
            else if (names.Count == 2)
            {
                CompareEngines(options, count);
            }
            else
            {
                throw new UsageException("--engine: name two engines, A,B");
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static void CompareEngines(SuiteOptions options, int count)
    {
        PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
        IReadOnlyList<PlannedCase> cases = new CasePlanner(context).Plan(EngineFamilies.Choose(context));
        if (cases.FirstOrDefault(planned => planned.SkipReason is not null) is { } skipped)
        {
            throw new EngineException($"{skipped.CaseId}: {skipped.SkipReason}");
        }

        // The engine that is loaded second tends to be a few percent faster, whichever it is: each goes second for half of the pairs.
        List<GenerationPair> results = [];
        foreach (bool aFirst in new[] { true, false })
        {
            using LoadedModel first = LoadedModel.Load(cases.First(planned => planned.Key.Engine == options.Engines![aFirst ? 0 : 1]));
            using LoadedModel second = LoadedModel.Load(cases.First(planned => planned.Key.Engine == options.Engines![aFirst ? 1 : 0]));
            (IGenerator a, IGenerator b) = aFirst ? (first.Generator, second.Generator) : (second.Generator, first.Generator);
            foreach (PlannedCase planned in cases.Where(planned => planned.Key.Engine == options.Engines![0]))
            {
                int[] prompt = [.. planned.PromptTokens];
                int maxLength = planned.Key.MaxLength;
                results.AddRange(
                    PairedComparison.Run(
                        planned.Key.PromptId,
                        () => a.Generate(prompt, maxLength),
                        () => b.Generate(prompt, maxLength),
                        (count + 1) / 2
                    )
                );
            }
        }

        PairedComparison.Show(options.Engines![0], options.Engines[1], results);
    }
}
