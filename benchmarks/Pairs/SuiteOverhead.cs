using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Jobs;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Pairs;

/// <summary>
/// What the framework costs: generations measured by the suite against a bare loop over the same loaded engine, in turn. Both sides
/// warm up and then give the middle one of a few generations, as a launch of the suite does.
/// </summary>
internal static class SuiteOverhead
{
    private const int Generations = 3;

    public static void Show(SuiteOptions options, int pairs)
    {
        options = options with { Isolation = Isolation.None, Launches = 1, Warmups = 1, Iterations = Generations };
        string work = Directory.CreateTempSubdirectory("llama3perf-overhead-").FullName;
        try
        {
            PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
            SuitePlan plan = new(new CasePlanner(context).Plan(EngineFamilies.Choose(context)), []);
            using ProcessState process = new();
            process.Set(SuitePlan.Variable, Path.Combine(work, "plan.json"));
            List<(string Prompt, GenerationResult A, GenerationResult B)> results = [];
            foreach (PlannedCase planned in plan.Runnable)
            {
                SuitePlan single = plan with { Cases = [planned] };
                single.Write(Path.Combine(work, "plan.json"));
                IConfig config = SuiteConfig.Create(options, single, work, loggers: NullLogger.Instance);
                results.AddRange(
                    PairedComparison
                        .Run(() => BySuite(config), () => Bare(planned), pairs)
                        .Select(pair => (planned.Key.PromptId, pair.A, pair.B))
                );
            }

            PairedComparison.Show("suite", "bare loop", results);
        }
        finally
        {
            LoadedModel.Unload();
            Directory.Delete(work, recursive: true);
        }
    }

    private static GenerationResult BySuite(IConfig config)
    {
        Summary summary = BenchmarkRunner.Run<GenerationBenchmarks>(config);
        return Middle(
            summary
                .Reports.SelectMany(OutcomeReader.Launches)
                .SelectMany(lines => lines)
                .OfType<IterationMeasured>()
                .Where(iteration => !iteration.IsWarmUp)
                .Select(iteration => iteration.Result)
        );
    }

    private static GenerationResult Bare(PlannedCase planned)
    {
        int[] prompt = [.. planned.PromptTokens];
        GenerationResult[] results =
        [
            .. Enumerable.Range(0, Generations + 1).Select(_ => LoadedModel.Get(planned).Generator.Generate(prompt, planned.Key.MaxLength)),
        ];
        return Middle(results.Skip(1));
    }

    private static GenerationResult Middle(IEnumerable<GenerationResult> results) =>
        results.OrderBy(result => result.DecodeTps).ElementAt(Generations / 2);
}
