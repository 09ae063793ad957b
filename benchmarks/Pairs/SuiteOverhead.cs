using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Jobs;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Pairs;

/// <summary>
/// What the framework costs: launches of the suite, in its own or in BenchmarkDotNet's processes, and in turn with them launches of a bare
/// loop over the same engine in a process of its own, without background compilation. Both sides warm up by the same rule and then give the
/// middle one of a few generations.
/// </summary>
internal static class SuiteOverhead
{
    private const int Generations = 3;

    public static void Show(SuiteOptions options, int pairs)
    {
        options = options with
        {
            Order = LaunchOrder.Fixed,
            Launches = pairs,
            Warmups = 1,
            Iterations = Generations,
            LeastMeasured = TimeSpan.Zero,
        };
        string work = Directory.CreateTempSubdirectory("llama3perf-overhead-").FullName;
        using ProcessState process = new();
        try
        {
            PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
            SuitePlan plan = new(new CasePlanner(context).Plan(EngineFamilies.Choose(context)), []);
            string path = Path.Combine(work, "plan.json");
            plan.Write(path);
            process.Set(SuitePlan.Variable, path);
            process.Set(MeasuringPriority.Variable, MeasuringPriority.Current() ?? "");
            Environment.CurrentDirectory = Workspace.RepositoryRoot ?? Environment.CurrentDirectory;
            List<(string Prompt, GenerationResult A, GenerationResult B)> results = [];
            IConfig config = SuiteConfig.Create(
                options,
                plan,
                work,
                record: (executor, _) => new AlternatingExecutor(executor, options, results.Add),
                loggers: NullLogger.Instance
            );
            BenchmarkRunner.Run<GenerationBenchmarks>(config);
            PairedComparison.Show("suite", "bare loop", results);
        }
        finally
        {
            LoadedModel.Unload();
            process.Dispose();
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>Makes a bare launch beside each of the suite's, before it or after it.</summary>
    private sealed class AlternatingExecutor(
        IExecutor inner,
        SuiteOptions options,
        Action<(string Prompt, GenerationResult A, GenerationResult B)> add
    ) : IExecutor
    {
        private readonly Queue<bool> _isSuiteFirst = [];
        private readonly BlockOrder _order = new(seed: 1);

        public ExecuteResult Execute(ExecuteParameters executeParameters)
        {
            PlannedCase planned = PlannedCases.Of(executeParameters.BenchmarkCase)!;
            if (_isSuiteFirst.Count == 0)
            {
                // A block of A B B A is a pair with A first and one with B first.
                IReadOnlyList<bool> block = _order.Next();
                _isSuiteFirst.Enqueue(block[0]);
                _isSuiteFirst.Enqueue(block[2]);
            }

            bool isSuiteFirst = _isSuiteFirst.Dequeue();
            ExecuteResult? bare = isSuiteFirst ? null : Bare();
            ExecuteResult suite = inner.Execute(executeParameters);
            bare ??= Bare();
            add((planned.Key.PromptId, Middle(planned, suite), Middle(planned, bare)));
            Console.WriteLine($"{planned.CaseId}  pair {executeParameters.LaunchIndex} of {options.Launches}");
            return suite;

            ExecuteResult Bare() => OwnLaunch.Run(planned, options, executeParameters.LaunchIndex, isBare: true, NullLogger.Instance);
        }

        private static GenerationResult Middle(PlannedCase planned, ExecuteResult result)
        {
            LaunchResult launch = LaunchResult.Of(planned.CaseId, 1, result);
            if (launch.Failure() is { } failure)
            {
                throw new EngineException($"{planned.CaseId}: {failure}");
            }

            return launch
                .Parsed.OfType<IterationMeasured>()
                .Where(iteration => !iteration.IsWarmUp)
                .Select(iteration => iteration.Result)
                .OrderBy(generation => generation.DecodeTps)
                .ElementAt(Generations / 2);
        }
    }
}
