using System.Collections.Immutable;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Jobs;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Runs cases in the plan's order, which keeps those of one model and engine together: in-process it is then loaded once.</summary>
internal sealed class ModelOrderer(SuitePlan plan) : DefaultOrderer
{
    public override IEnumerable<BenchmarkCase> GetExecutionOrder(
        ImmutableArray<BenchmarkCase> benchmarksCase, IEnumerable<BenchmarkDotNet.Configs.BenchmarkLogicalGroupRule>? order = null)
    {
        Dictionary<CaseParameters, int> ranks = plan.Cases.Select((planned, index) => (planned.Parameters, index)).ToDictionary();
        return benchmarksCase.OrderBy(benchmark => PlannedCases.ParametersOf(benchmark) is { } parameters ? ranks.GetValueOrDefault(parameters) : 0);
    }
}

/// <summary>BenchmarkDotNet crosses all parameter values; this keeps the combinations that are planned and can run.</summary>
internal sealed class PlannedCases(SuitePlan plan) : IFilter
{
    public bool Predicate(BenchmarkCase benchmarkCase) =>
        ParametersOf(benchmarkCase) is not { } parameters || plan.Find(parameters) is { SkipReason: null, Failure: null };

    /// <summary>The parameters of a generation case, or null for a benchmark of another class.</summary>
    public static CaseParameters? ParametersOf(BenchmarkCase benchmark)
    {
        if (benchmark.Descriptor.Type != typeof(GenerationBenchmarks))
        {
            return null;
        }

        ParameterInstances values = benchmark.Parameters;
        return new CaseParameters(
            (string)values[nameof(GenerationBenchmarks.Model)],
            (string)values[nameof(GenerationBenchmarks.Engine)],
            (string)values[nameof(GenerationBenchmarks.Provider)],
            (string)values[nameof(GenerationBenchmarks.Precision)],
            (string)values[nameof(GenerationBenchmarks.Prompt)],
            (int)values[nameof(GenerationBenchmarks.MaxLength)]);
    }
}
