using BenchmarkDotNet.Characteristics;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using BenchmarkDotNet.Validators;
using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>What is done with launches, by the run that they belong to.</summary>
/// <param name="Find">The launch of a case, by its number, that this run has made; null for none. It is not made again.</param>
/// <param name="Keep">Keeps a launch; when it returns the launch is on the disk.</param>
/// <param name="Of">All launches of a case that were made.</param>
/// <param name="HalfWidth">How well a case's decode rate is known, for <see cref="LaunchSchedule"/>.</param>
/// <param name="Begin">Told before a launch: its case, its number.</param>
internal sealed record LaunchBook(
    Func<string, int, LaunchResult?> Find,
    Action<LaunchResult> Keep,
    Func<string, IReadOnlyList<LaunchResult>> Of,
    Func<string, double?> HalfWidth,
    Action<PlannedCase, int> Begin
);

/// <summary>
/// Runs each launch within its limit of time and keeps it before the next one starts. BenchmarkDotNet asks for all launches of a case in a
/// row; where another order is wanted the first question makes those of all cases, and the answers are then found.
/// </summary>
/// <param name="inner">Makes launches.</param>
/// <param name="built">What BenchmarkDotNet has built, with the numbers that it knows benchmarks by.</param>
/// <param name="options">Order and target.</param>
/// <param name="limit">Limit of each launch.</param>
/// <param name="book">Where launches are kept.</param>
internal sealed class RecordingExecutor(
    IExecutor inner,
    IReadOnlyList<BuildPartition> built,
    SuiteOptions options,
    LaunchLimit limit,
    LaunchBook book
) : IExecutor
{
    private readonly HashSet<BuildPartition> _made = [];

    public ExecuteResult Execute(ExecuteParameters executeParameters)
    {
        // Benchmarks beside the main job have no case and no file of their own; a diagnoser's extra launch measures nothing.
        if (PlannedCases.Of(executeParameters.BenchmarkCase) is not { } planned || executeParameters.Diagnoser is not null)
        {
            return limit.Run(inner, executeParameters);
        }

        if (options.Order == LaunchOrder.Random || options.Until is not null)
        {
            MakeAll(executeParameters);
        }

        return options.Until is null ? Make(planned, executeParameters) : Merged(planned.CaseId);
    }

    private ExecuteResult Make(PlannedCase planned, ExecuteParameters parameters, LaunchSchedule? schedule = null)
    {
        if (book.Find(planned.CaseId, parameters.LaunchIndex) is { } known)
        {
            return known.ToExecuteResult();
        }

        book.Begin(planned, parameters.LaunchIndex);
        schedule?.Begin();
        ExecuteResult result = limit.Run(inner, parameters);
        book.Keep(LaunchResult.Of(planned.CaseId, parameters.LaunchIndex, result));
        return result;
    }

    private void MakeAll(ExecuteParameters first)
    {
        BuildPartition partition = built.Single(part => part.Benchmarks.Any(info => info.BenchmarkCase == first.BenchmarkCase));
        if (!_made.Add(partition))
        {
            return;
        }

        Dictionary<string, BenchmarkBuildInfo> cases = partition
            .Benchmarks.Where(info => PlannedCases.Of(info.BenchmarkCase) is not null)
            .ToDictionary(info => PlannedCases.Of(info.BenchmarkCase)!.CaseId);
        LaunchSchedule schedule = new(options, book.HalfWidth, TimeProvider.System);
        foreach (
            (string caseId, int index) in schedule.Launches([
                .. SuitePlan
                    .Current.Generations.Where(planned => cases.ContainsKey(planned.CaseId))
                    .Select(planned => (planned.CaseId, Math.Max(1, cases[planned.CaseId].BenchmarkCase.Job.Run.LaunchCount))),
            ])
        )
        {
            BenchmarkBuildInfo info = cases[caseId];
            ExecuteParameters parameters = new(
                first.BuildResult,
                info.BenchmarkCase,
                info.Id,
                first.Logger,
                first.Resolver,
                index,
                diagnoser: null
            );
            schedule.Made(caseId, Make(PlannedCases.Of(info.BenchmarkCase)!, parameters, schedule).IsSuccess);
        }
    }

    // How many there would be BenchmarkDotNet could not be told before; to it they are one.
    private ExecuteResult Merged(string caseId)
    {
        IReadOnlyList<LaunchResult> launches = book.Of(caseId);
        return new ExecuteResult(
            true,
            launches.Select(launch => launch.ExitCode).FirstOrDefault(code => code is not (0 or null)) ?? 0,
            Environment.ProcessId,
            [.. launches.SelectMany(launch => launch.Measurements)],
            [.. launches.SelectMany(launch => launch.Lines)],
            [],
            launchIndex: 1
        );
    }
}

/// <summary>A toolchain whose launches are made by another executor around its own, which knows what was built.</summary>
internal sealed class RecordingToolchain : IToolchain
{
    private readonly IToolchain _inner;

    public RecordingToolchain(IToolchain inner, Func<IExecutor, IReadOnlyList<BuildPartition>, IExecutor> record)
    {
        _inner = inner;
        RecordingBuilder builder = new(inner.Builder);
        (Builder, Executor) = (builder, record(inner.Executor, builder.Built));
    }

    public string Name => _inner.Name;

    public IGenerator Generator => _inner.Generator;

    public IBuilder Builder { get; }

    public IExecutor Executor { get; }

    public bool IsInProcess => _inner.IsInProcess;

    public IEnumerable<ValidationError> Validate(BenchmarkCase benchmarkCase, IResolver resolver) =>
        _inner.Validate(benchmarkCase, resolver);

    public override string ToString() => Name;

    private sealed class RecordingBuilder(IBuilder inner) : IBuilder
    {
        private readonly List<BuildPartition> _built = [];

        public IReadOnlyList<BuildPartition> Built => _built;

        public BuildResult Build(GenerateResult generateResult, BuildPartition buildPartition, ILogger logger)
        {
            lock (_built)
            {
                _built.Add(buildPartition);
            }

            return inner.Build(generateResult, buildPartition, logger);
        }
    }
}
