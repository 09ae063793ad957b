using System.Runtime;
using System.Text;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Jobs;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>The other end of <see cref="OwnLaunch"/>: one launch of one case of the plan, in this process, told on standard
/// output.</summary>
internal static class SingleLaunch
{
    // Longer than idle threads spin by the suite's default.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <summary>By BenchmarkDotNet's engine, as in any launch of the suite.</summary>
    public static int Run(string caseId, int warmups, int iterations)
    {
        PlannedCase planned = Find(caseId);
        SuiteOptions options = new()
        {
            Isolation = Isolation.None,
            Launches = 1,
            Warmups = warmups,
            Iterations = iterations,
        };
        LineWriter lines = new();
        IConfig config = SuiteConfig.Create(options, SuitePlan.Current, Path.GetTempPath(), loggers: lines);
        BenchmarkCase benchmark = BenchmarkConverter
            .TypeToBenchmarks(typeof(GenerationBenchmarks), config)
            .BenchmarksCases.Single(candidate => PlannedCases.Of(candidate)?.CaseId == planned.CaseId);
        ExecuteResult result = new InProcessToolchain().Executor.Execute(
            new ExecuteParameters(null!, benchmark, new BenchmarkId(0, benchmark), lines, s_resolver, 1)
        );
        LoadedModel.Unload();
        foreach (BenchmarkDotNet.Reports.Measurement measurement in result.Measurements)
        {
            Console.WriteLine($"{OwnLaunch.Measurement}{measurement}");
        }

        return result.ExitCode ?? ExitCode.Failed;
    }

    /// <summary>By a loop over the same engine and nothing else: what the suite is held against. Its generations begin on threads that
    /// rest, as the suite's do and every request of a user's does: to wake ONNX Runtime's takes a millisecond.</summary>
    public static int RunBare(string caseId, int warmups, int iterations)
    {
        PlannedCase planned = Find(caseId);
        int[] prompt = [.. planned.PromptTokens];
        _ = MeasuringPriority.Restore();
        using LoadedModel model = LoadedModel.Load(planned);
        for (WarmUp warmUp = new(warmups); !warmUp.IsOver; )
        {
            (long compiled, int collections) = (JitInfo.GetCompiledMethodCount(), GC.CollectionCount(0));
            GenerationResult result = model.Generator.Generate(prompt, planned.Key.MaxLength);
            warmUp.Add(result.EndToEndMs, JitInfo.GetCompiledMethodCount() - compiled, GC.CollectionCount(0) - collections);
        }

        List<GenerationResult> results = [];
        for (double ms = 0; Turns.GoOn(results.Count >= iterations, ms, Console.WriteLine); ms += results[^1].EndToEndMs)
        {
            Thread.Sleep(s_pause);
            results.Add(model.Generator.Generate(prompt, planned.Key.MaxLength));
        }

        foreach (GenerationResult result in results)
        {
            Console.WriteLine(new IterationMeasured(IsWarmUp: false, result, PeakRssBytes: null).Format());
        }

        Console.WriteLine(new LaunchEnded(ProcessMemory.PeakResidentBytes(), PeakGpuBytes: null).Format());
        return ExitCode.Success;
    }

    private static PlannedCase Find(string caseId) =>
        SuitePlan.Current.Generations.FirstOrDefault(planned => planned.CaseId == caseId)
        ?? throw new UsageException($"--case: there is no '{caseId}' in the plan; {OwnLaunch.Verb} is for other verbs, not for people");

    private static readonly BenchmarkDotNet.Characteristics.CompositeResolver s_resolver = new(
        BenchmarkDotNet.Environments.EnvironmentResolver.Instance,
        BenchmarkDotNet.Environments.InfrastructureResolver.Instance
    );

    /// <summary>Prints whole measurement lines, and nothing else of what BenchmarkDotNet says.</summary>
    private sealed class LineWriter : ILogger
    {
        private readonly StringBuilder _pending = new();

        public string Id => nameof(LineWriter);

        public int Priority => 0;

        public void Write(LogKind logKind, string text) => _pending.Append(text);

        public void WriteLine() => EndLine();

        public void WriteLine(LogKind logKind, string text)
        {
            _pending.Append(text);
            EndLine();
        }

        public void Flush() => Console.Out.Flush();

        private void EndLine()
        {
            string line = _pending.ToString();
            _pending.Clear();
            if (MeasurementLine.IsOne(line))
            {
                Console.WriteLine(line);
            }
        }
    }
}
