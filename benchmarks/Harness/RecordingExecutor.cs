using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using BenchmarkDotNet.Validators;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Runs each launch within its limit of time and keeps it before the next one starts.</summary>
/// <param name="inner">Makes launches.</param>
/// <param name="limit">Their limit.</param>
/// <param name="find">The launch of a case, by its number, that an earlier part of this run has made; null for none. It is not made
/// again.</param>
/// <param name="keep">Keeps a launch; when it returns the launch is on the disk.</param>
internal sealed class RecordingExecutor(
    IExecutor inner,
    LaunchLimit limit,
    Func<string, int, LaunchResult?> find,
    Action<LaunchResult> keep
) : IExecutor
{
    public ExecuteResult Execute(ExecuteParameters executeParameters)
    {
        // Benchmarks beside the main job have no case and no file of their own; a diagnoser's extra launch measures nothing.
        if (PlannedCases.Of(executeParameters.BenchmarkCase) is not { } planned || executeParameters.Diagnoser is not null)
        {
            return limit.Run(inner, executeParameters);
        }

        if (find(planned.CaseId, executeParameters.LaunchIndex) is { } known)
        {
            return known.ToExecuteResult();
        }

        ExecuteResult result = limit.Run(inner, executeParameters);
        keep(LaunchResult.Of(planned.CaseId, executeParameters.LaunchIndex, result));
        return result;
    }
}

/// <summary>A toolchain whose launches are made by another executor around its own.</summary>
internal sealed class RecordingToolchain(IToolchain inner, Func<IExecutor, IExecutor> record) : IToolchain
{
    public string Name => inner.Name;

    public IGenerator Generator => inner.Generator;

    public IBuilder Builder => inner.Builder;

    public IExecutor Executor { get; } = record(inner.Executor);

    public bool IsInProcess => inner.IsInProcess;

    public IEnumerable<ValidationError> Validate(BenchmarkCase benchmarkCase, IResolver resolver) =>
        inner.Validate(benchmarkCase, resolver);

    public override string ToString() => Name;
}
