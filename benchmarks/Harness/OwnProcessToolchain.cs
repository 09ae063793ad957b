using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using BenchmarkDotNet.Validators;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// A process for each launch where BenchmarkDotNet cannot build one, on a machine without the SDK or from a published copy: this program
/// once more, with <see cref="OwnLaunch"/> for its only task. Settings of the runtime are those of the program itself.
/// </summary>
internal sealed class OwnProcessToolchain : IToolchain
{
    // Nothing is generated or built.
    private static readonly InProcessToolchain s_inProcess = new();

    public string Name => "own process";

    public IGenerator Generator => s_inProcess.Generator;

    public IBuilder Builder => s_inProcess.Builder;

    public IExecutor Executor { get; } = new OwnProcessExecutor();

    public bool IsInProcess => false;

    public IEnumerable<ValidationError> Validate(BenchmarkCase benchmarkCase, IResolver resolver) => [];

    public override string ToString() => Name;

    private sealed class OwnProcessExecutor : IExecutor
    {
        public ExecuteResult Execute(ExecuteParameters executeParameters)
        {
            BenchmarkCase benchmark = executeParameters.BenchmarkCase;
            if (PlannedCases.Of(benchmark) is not { } planned)
            {
                // The benchmarks beside the main job have no launches to keep apart.
                return s_inProcess.Executor.Execute(executeParameters);
            }

            SuiteOptions options = new() { Warmups = benchmark.Job.Run.WarmupCount, Iterations = benchmark.Job.Run.IterationCount };
            return OwnLaunch.Run(planned, options, executeParameters.LaunchIndex, isBare: false, executeParameters.Logger);
        }
    }
}
