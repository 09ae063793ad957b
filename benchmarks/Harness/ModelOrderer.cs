using System.Collections.Immutable;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Running;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Runs cases in the plan's order, which keeps those of one model and engine together: in-process it is then loaded
/// once.</summary>
internal sealed class ModelOrderer(SuitePlan plan) : DefaultOrderer
{
    public override IEnumerable<BenchmarkCase> GetExecutionOrder(
        ImmutableArray<BenchmarkCase> benchmarksCase,
        IEnumerable<BenchmarkLogicalGroupRule>? order = null
    )
    {
        Dictionary<string, int> ranks = plan.Cases.Select((planned, index) => (planned.CaseId, index)).ToDictionary();
        return benchmarksCase.OrderBy(benchmark => PlannedCases.Of(benchmark) is { } planned ? ranks.GetValueOrDefault(planned.CaseId) : 0);
    }
}

/// <summary>The planned cases among BenchmarkDotNet's; as a filter it leaves out what stands where there is none.</summary>
internal sealed class PlannedCases : IFilter
{
    public bool Predicate(BenchmarkCase benchmarkCase) => Of(benchmarkCase)?.CaseId != PlannedCase.None.CaseId;

    /// <summary>The planned case that a benchmark takes as its parameter, or null for a benchmark beside the main job.</summary>
    public static PlannedCase? Of(BenchmarkCase benchmark) =>
        benchmark.Parameters.Items.Select(parameter => parameter.Value).OfType<PlannedCase>().FirstOrDefault();
}
