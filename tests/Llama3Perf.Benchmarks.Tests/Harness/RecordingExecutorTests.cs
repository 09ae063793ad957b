using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Jobs;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Harness;

/// <summary>BenchmarkDotNet asks for the launches of one case after the other; what is made in which order is ours.</summary>
[Collection(nameof(CliSession))]
public sealed class RecordingExecutorTests : IDisposable
{
    private const int Launches = 3;

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-recording-").FullName;
    private readonly ProcessState _state = new();
    private readonly List<LaunchResult> _journal = [];
    private readonly LoggingExecutor _inner = new();

    public RecordingExecutorTests()
    {
        SuitePlan plan = new([.. new[] { "pp4", "pp8", "pp16" }.Select(Planned)], []);
        plan.Write(Path.Combine(_folder, "plan.json"));
        _state.Set(SuitePlan.Variable, Path.Combine(_folder, "plan.json"));
    }

    public void Dispose()
    {
        _state.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Launches_are_interleaved_and_each_question_finds_its_own()
    {
        (string CaseId, int Index, int Answer)[] answers = Ask(new SuiteOptions { Order = LaunchOrder.Random, Seed = 4 });

        Assert.Equal(9, _inner.Made.Count);
        Assert.All(_inner.Made.Chunk(3), round => Assert.Equal(3, round.Select(launch => launch.CaseId).Distinct().Count()));
        Assert.Equal([1, 1, 1, 2, 2, 2, 3, 3, 3], _inner.Made.Select(launch => launch.Index));
        Assert.All(answers, answer => Assert.Equal(_inner.Made.IndexOf((answer.CaseId, answer.Index)), answer.Answer));
        Assert.Equal(9, answers.Length);
    }

    [Fact]
    public void In_fixed_order_they_are_made_as_they_are_asked_for()
    {
        (string CaseId, int Index, int Answer)[] answers = Ask(new SuiteOptions { Order = LaunchOrder.Fixed });

        Assert.Equal(answers.Select(answer => (answer.CaseId, answer.Index)), _inner.Made);
    }

    [Fact]
    public void A_run_that_goes_on_makes_what_is_missing_in_the_order_that_was_drawn()
    {
        SuiteOptions options = new() { Order = LaunchOrder.Random, Seed = 4 };
        Ask(options);
        (string, int)[] whole = [.. _inner.Made];
        _journal.RemoveRange(4, 5);
        _inner.Made.Clear();

        Ask(options);

        Assert.Equal(whole[4..], _inner.Made);
    }

    [Fact]
    public void A_case_that_failed_is_launched_no_more()
    {
        _inner.Broken = Planned("pp8").CaseId;

        (string CaseId, int Index, int Answer)[] answers = Ask(new SuiteOptions { Order = LaunchOrder.Random, Seed = 4 });

        Assert.Single(_inner.Made, launch => launch.CaseId == _inner.Broken);
        Assert.Equal(7, _inner.Made.Count);
        Assert.Equal(7, answers.Length);
    }

    [Fact]
    public void With_a_target_BenchmarkDotNet_sees_one_launch_that_holds_all()
    {
        SuiteOptions options = new()
        {
            Order = LaunchOrder.Random,
            Seed = 4,
            Until = 0.01,
            Budget = new Budget(null, 4),
        };

        (string CaseId, int Index, int Answer)[] answers = Ask(options, launches: 1);

        Assert.Equal(12, _inner.Made.Count);
        Assert.Equal(12, answers.Length);
        Assert.Equal(12, answers.Select(answer => answer.Answer).Distinct().Count());
    }

    // As BenchmarkDotNet does: case by case, until one fails.
    private (string CaseId, int Index, int Answer)[] Ask(SuiteOptions options, int launches = Launches)
    {
        IConfig config = ManualConfig.CreateEmpty().AddJob(Job.Dry.WithLaunchCount(launches));
        BenchmarkBuildInfo[] built =
        [
            .. BenchmarkConverter
                .TypeToBenchmarks(typeof(GenerationBenchmarks), config)
                .BenchmarksCases.Select((benchmark, id) => new BenchmarkBuildInfo(benchmark, benchmark.Config, id)),
        ];
        BuildPartition partition = new(built, BenchmarkDotNet.Environments.EnvironmentResolver.Instance);
        LaunchBook book = new(
            (caseId, index) => _journal.Find(launch => launch.CaseId == caseId && launch.Index == index),
            _journal.Add,
            caseId => _journal.FindAll(launch => launch.CaseId == caseId),
            _ => null,
            (_, _) => { }
        );
        RecordingExecutor executor = new(_inner, [partition], options, new LaunchLimit(null), book);
        List<(string, int, int)> answers = [];
        foreach (BenchmarkBuildInfo info in built)
        {
            for (int index = 1; index <= launches; index++)
            {
                ExecuteResult result = executor.Execute(
                    new ExecuteParameters(null!, info.BenchmarkCase, info.Id, NullLogger.Instance, partition.Resolver, index)
                );
                answers.AddRange(
                    result.PrefixedLines.Select(line =>
                        (PlannedCases.Of(info.BenchmarkCase)!.CaseId, index, ((ProcessStarted)MeasurementLine.Parse(line)!).ProcessId)
                    )
                );
                if (!result.IsSuccess)
                {
                    break;
                }
            }
        }

        return [.. answers];
    }

    private static PlannedCase Planned(string prompt)
    {
        CaseKey key = SyntheticRuns.Case(prompt);
        return PlannedCase.None with { CaseId = CaseId.For(key), Key = key, EngineOptions = new EngineOptions() };
    }

    /// <summary>Answers each launch with its number, as a process id.</summary>
    private sealed class LoggingExecutor : IExecutor
    {
        public List<(string CaseId, int Index)> Made { get; } = [];

        public string? Broken { get; set; }

        public ExecuteResult Execute(ExecuteParameters executeParameters)
        {
            string caseId = PlannedCases.Of(executeParameters.BenchmarkCase)!.CaseId;
            Made.Add((caseId, executeParameters.LaunchIndex));
            string line = new ProcessStarted(Made.Count - 1).Format();
            string[] measurements = caseId == Broken ? [] : ["WorkloadResult   1: 1 op, 1000.00 ns, 1.0000 us/op"];
            return new ExecuteResult(true, 0, 1, measurements, [line], [], executeParameters.LaunchIndex);
        }
    }
}
