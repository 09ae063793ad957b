using System.IO.Pipes;
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
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Benchmarks.Pairs;

/// <summary>
/// What the framework costs: launches of the suite, in processes of this program or of BenchmarkDotNet's, and beside each a bare loop over
/// the same engine in a process of its own, without background compilation. Both of a pair load their model anew, warm up by the same
/// rule, and let their generations take turns: launches of one program differ by more than what is looked for, and so do seconds.
/// </summary>
internal sealed class SuiteOverhead : IDisposable
{
    // Of each side, in a pair; turns come in blocks of two.
    private const int Generations = 3;

    private readonly BlockOrder _order = new(seed: 1);
    private readonly Queue<bool> _isSuiteFirst = [];
    private readonly ProcessState _process = new();
    private readonly string _work = Directory.CreateTempSubdirectory("llama3perf-overhead-").FullName;
    private readonly List<GenerationPair> _results = [];
    private readonly SuiteOptions _options;
    private readonly SuitePlan _plan;

    private SuiteOverhead(SuiteOptions options, int pairs)
    {
        _options = options with
        {
            Order = LaunchOrder.Fixed,
            Launches = pairs,
            Warmups = 1,
            Iterations = Generations,
            LeastMeasured = TimeSpan.Zero,
        };
        PlanContext context = new(_options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
        _plan = new SuitePlan(new CasePlanner(context).Plan(EngineFamilies.Choose(context)), []);
        string path = Path.Combine(_work, "plan.json");
        _plan.Write(path);
        _process.Set(SuitePlan.Variable, path);
        _process.Set(MeasuringPriority.Variable, MeasuringPriority.Current() ?? "");
    }

    public static void Show(SuiteOptions options, int pairs)
    {
        using SuiteOverhead overhead = new(options, pairs);
        if (options.Isolation == Isolation.Process)
        {
            overhead.MeasureChildren();
        }
        else
        {
            overhead.MeasureOwnProcesses();
        }

        PairedComparison.Show("suite", "bare loop", overhead._results);
    }

    public void Dispose()
    {
        _process.Dispose();
        Directory.Delete(_work, recursive: true);
    }

    // A run without child processes is a process of this program that measures by itself.
    private void MeasureOwnProcesses()
    {
        foreach (PlannedCase planned in _plan.Generations.Where(planned => planned.IsRunnable))
        {
            for (int index = 1; index <= _options.Launches; index++)
            {
                int launch = index;
                _ = Pair(
                    planned,
                    launch,
                    (logger, takeInput) => OwnLaunch.Run(planned, _options, launch, isBare: false, logger, takeInput)
                );
            }
        }
    }

    private void MeasureChildren()
    {
        Environment.CurrentDirectory = Workspace.RepositoryRoot ?? Environment.CurrentDirectory;
        IConfig config = SuiteConfig.Create(
            _options,
            _plan,
            _work,
            record: (executor, _) => new PairingExecutor(executor, this),
            loggers: NullLogger.Instance
        );
        BenchmarkRunner.Run<GenerationBenchmarks>(config);
    }

    /// <summary>A launch of each, loaded at once, the first of them in turn: of two loaded models the first can be slower.</summary>
    private ExecuteResult Pair(PlannedCase planned, int index, Func<ILogger, Action<StreamWriter>, ExecuteResult> launch)
    {
        using LaunchInTurns suite = new(launch);
        using LaunchInTurns bare = new((logger, takeInput) => OwnLaunch.Run(planned, _options, index, isBare: true, logger, takeInput));
        bool isSuiteFirst = IsSuiteFirst();
        Dictionary<LaunchInTurns, TurnState> states = [];
        foreach (LaunchInTurns side in (LaunchInTurns[])(isSuiteFirst ? [suite, bare] : [bare, suite]))
        {
            states[side] = side.Begin();
        }

        while (!states.ContainsValue(TurnState.Ended) && states.ContainsValue(TurnState.Waiting))
        {
            foreach (bool isSuite in _order.Next())
            {
                LaunchInTurns side = isSuite ? suite : bare;
                states[side] = side.Step();
            }
        }

        (ExecuteResult ofSuite, ExecuteResult ofBare) = (suite.End(), bare.End());
        GenerationPair pair = new(planned.Key.PromptId, Measured(planned, ofSuite), Measured(planned, ofBare));
        _results.Add(pair);
        string prefill = Figure.Text(pair.Ratio(generation => generation.PrefillTps));
        string decode = Figure.Text(pair.Ratio(generation => generation.DecodeTps ?? double.NaN));
        Console.WriteLine($"{planned.CaseId}  pair {index} of {_options.Launches}: prefill {prefill}, decode {decode}");
        return ofSuite;
    }

    // A block of A B B A is a pair with A first and one with B first.
    private bool IsSuiteFirst()
    {
        if (_isSuiteFirst.Count == 0)
        {
            IReadOnlyList<bool> block = _order.Next();
            _isSuiteFirst.Enqueue(block[0]);
            _isSuiteFirst.Enqueue(block[2]);
        }

        return _isSuiteFirst.Dequeue();
    }

    private static GenerationResult[] Measured(PlannedCase planned, ExecuteResult result)
    {
        LaunchResult launch = LaunchResult.Of(planned.CaseId, 1, result);
        return launch.Failure() is { } failure
            ? throw new EngineException($"{planned.CaseId}: {failure}")
            : [.. launch.Parsed.OfType<IterationMeasured>().Where(iteration => !iteration.IsWarmUp).Select(iteration => iteration.Result)];
    }

    /// <summary>Makes a bare launch beside each of BenchmarkDotNet's, whose turns come by a pipe.</summary>
    private sealed class PairingExecutor(IExecutor inner, SuiteOverhead overhead) : IExecutor
    {
        public ExecuteResult Execute(ExecuteParameters executeParameters) =>
            overhead.Pair(
                PlannedCases.Of(executeParameters.BenchmarkCase)!,
                executeParameters.LaunchIndex,
                (logger, takeInput) => Launch(executeParameters, logger, takeInput)
            );

        private ExecuteResult Launch(ExecuteParameters parameters, ILogger logger, Action<StreamWriter> takeInput)
        {
            string name = $"llama3perf-{Guid.NewGuid():N}";
            using NamedPipeServerStream pipe = new(name, PipeDirection.Out);
            takeInput(new StreamWriter(pipe));
            overhead._process.Set(Turns.Variable, name);
            // The child connects before it says that it waits; one that fails before that never does.
            _ = pipe.WaitForConnectionAsync();
            return inner.Execute(LaunchLimit.With(parameters, logger));
        }
    }
}
