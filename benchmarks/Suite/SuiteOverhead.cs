using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Measuring;
using Llama3Perf.Inference.Generation;

namespace Llama3Perf.Benchmarks.Suite;

/// <summary>What the framework costs: generations measured by the suite against a bare loop over the same loaded engine, in turn.</summary>
internal static class SuiteOverhead
{
    public static void Show(SuiteOptions options, int pairs)
    {
        options = options with { Isolation = Isolation.None, Launches = 1, Warmups = 0, Iterations = 1 };
        string work = Directory.CreateTempSubdirectory("llama3perf-overhead-").FullName;
        try
        {
            SuitePlan plan = new(new CasePlanner(options, new ModelPreparation(Workspace.Models)).Plan(), KeepModelLoaded: true);
            List<(string Prompt, IReadOnlyList<PairedFigure> Figures)> rows = [];
            foreach (PlannedCase planned in plan.Runnable)
            {
                SuitePlan single = plan with { Cases = [planned] };
                single.Publish(Path.Combine(work, "plan.json"));
                IConfig config = SuiteConfig.Create(options, single, work, events: null, NullLogger.Instance);
                rows.Add((planned.Parameters.Prompt, PairedComparison.Run(() => BySuite(config), () => Bare(planned), pairs)));
            }

            PairedComparison.Show("suite", "bare loop", rows);
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
        return summary.Reports.SelectMany(OutcomeReader.Launches).SelectMany(lines => lines).OfType<IterationMeasured>().Single().Result;
    }

    private static GenerationResult Bare(PlannedCase planned) =>
        TimedGeneration.Run(LoadedModel.Get(planned).Engine, [.. planned.PromptTokens], planned.Parameters.MaxLength);
}
