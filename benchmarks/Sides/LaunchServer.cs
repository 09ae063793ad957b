using System.Diagnostics;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.Results;
using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>
/// The other end of <see cref="ServedSide"/>: plans a run, and then makes a launch of it when its input asks for one. The run is kept as
/// any run is, launch by launch; when its input ends it stays as it is.
/// </summary>
internal sealed class LaunchServer(SuiteOptions options, PlanContext context, SuitePlan plan, RunOutput folder, RunRecorder recorder)
{
    /// <summary>The verb.</summary>
    public const string Verb = "serve-launches";

    /// <summary>Its option that asks which conversation it knows.</summary>
    public const string ProtocolOption = "--protocol";

    private readonly LaunchLimit _limit = new(options.LaunchTimeout);
    private readonly Dictionary<string, int> _counts = [];

    private TimeSpan _launchTime;

    // Of cases that their own program measures: nothing of theirs is in the journal.
    private readonly Dictionary<string, List<CaseOutcome>> _measuredThemselves = [];

    /// <summary>Plans and serves until the input ends or asks for the complete run.</summary>
    /// <param name="options">The run.</param>
    /// <param name="input">What to do, line by line.</param>
    /// <param name="tell">Told what was done.</param>
    public static int Serve(SuiteOptions options, TextReader input, Action<SideMessage> tell)
    {
        MeasurableBuild.Require();
        SuiteRunner.CheckSpin(options);
        using RunOutput folder = RunOutput.Create(options.Output!, options.Force);
        PlanContext context = new(options, MachineProbe.Capture(), new ModelPreparation(Workspace.Models));
        SuitePlan plan = new(new CasePlanner(context).Plan(EngineFamilies.Choose(context)), []);
        SuiteRunner.RequireModels(options, plan);
        RunIdentity identity = folder.Begin(SuiteRunner.NewIdentity(options), context.Machine, plan, options.Seed, options.KeepPaths);
        using MeasuringTraces traces = new();
        using RunRecorder recorder = new(identity, context, plan, folder, traces, isOpen: true);
        using ProcessState process = new();
        process.Set(MeasuringTraces.Variable, traces.JobId);
        process.Set(HomePaths.KeepVariable, options.KeepPaths ? "1" : "");
        process.Set(SuitePlan.Variable, folder.PlanPath);
        process.Set(MeasuringPriority.Variable, MeasuringPriority.Current() ?? "");
        process.Set(LeastMeasured.Variable, LeastMeasured.Of(options));
        return new LaunchServer(options, context, plan, folder, recorder).Answer(input, tell);
    }

    private int Answer(TextReader input, Action<SideMessage> tell)
    {
        Write(recorder.Part());
        tell(new SideReady(folder.WorkPath));
        BegunLaunch? begun = null;
        while (input.ReadLine() is { } line)
        {
            switch (line.Split(' ', 2))
            {
                case ["complete"]:
                    DeleteLaunch();
                    Write(Whole());
                    folder.Complete();
                    tell(new SideCompleted(folder.Path));
                    return ExitCode.Success;
                case ["discard"]:
                    folder.Discard();
                    return ExitCode.Success;
                case ["launch", var caseId] when Planned(caseId) is { } planned:
                    RunWriter.Write(Launch(planned), LaunchFolder);
                    tell(new SideLaunched(LaunchFolder, _launchTime.TotalMilliseconds));
                    break;
                case ["begin", var caseId] when begun is null && Planned(caseId) is { } planned:
                    begun = new BegunLaunch(planned, NextIndex(planned), _limit, context.Options);
                    tell(new SideStands(begun.Turns.Begin()));
                    break;
                case ["step"] when begun is not null:
                    tell(new SideStands(begun.Turns.Step()));
                    break;
                case ["end"] when begun is not null:
                    RunWriter.Write(
                        Keep(LaunchResult.Of(begun.Planned.CaseId, begun.Index, begun.Turns.End()), begun.Planned),
                        LaunchFolder
                    );
                    tell(new SideLaunched(LaunchFolder, begun.Turns.Active.TotalMilliseconds));
                    begun.Turns.Dispose();
                    begun = null;
                    break;
                default:
                    throw new UsageException($"'{line}' is nothing that {Verb} does; it is for ab, not for people");
            }
        }

        return ExitCode.Interrupted;
    }

    private void Write(Run run) => RunWriter.Write(HomePaths.Shown(run), folder.WorkPath);

    private void DeleteLaunch()
    {
        if (Directory.Exists(LaunchFolder))
        {
            Directory.Delete(LaunchFolder, recursive: true);
        }
    }

    private string LaunchFolder => Path.Combine(folder.WorkPath, "launch");

    private Run Whole()
    {
        Run run = recorder.Whole();
        return run with
        {
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    _measuredThemselves.TryGetValue(outcome.CaseId, out List<CaseOutcome>? launches)
                        ? LaunchJoin.Of(launches, run.Identity, run.Environment)
                        : outcome
                ),
            ],
        };
    }

    private Run Launch(PlannedCase planned)
    {
        EngineFamily family = EngineFamilies.Of(planned.Key.Engine);
        return family.MeasuresItself ? LaunchItself(planned, family) : LaunchOwn(planned);
    }

    private Run LaunchItself(PlannedCase planned, EngineFamily family)
    {
        Run part = recorder.Part();
        long begun = Stopwatch.GetTimestamp();
        CaseOutcome outcome = family.Measure(planned, options with { Launches = 1 }, KeptLaunches.None, part.Identity, part.Environment);
        _launchTime = Stopwatch.GetElapsedTime(begun);
        _measuredThemselves.TryAdd(planned.CaseId, []);
        _measuredThemselves[planned.CaseId].Add(outcome);
        return part with { Cases = [outcome] };
    }

    private Run LaunchOwn(PlannedCase planned)
    {
        int index = NextIndex(planned);
        long begun = Stopwatch.GetTimestamp();
        ExecuteResult result = _limit.Run(
            logger => OwnLaunch.Run(planned, context.Options, index, isBare: false, logger),
            NullLogger.Instance,
            index
        );
        _launchTime = Stopwatch.GetElapsedTime(begun);
        return Keep(LaunchResult.Of(planned.CaseId, index, result), planned);
    }

    private PlannedCase? Planned(string caseId) => plan.Runnable.FirstOrDefault(planned => planned.CaseId == caseId);

    private int NextIndex(PlannedCase planned) => _counts[planned.CaseId] = _counts.GetValueOrDefault(planned.CaseId) + 1;

    private Run Keep(LaunchResult launch, PlannedCase planned)
    {
        recorder.Keep(launch);
        return recorder.Of([launch], planned);
    }

    private sealed record BegunLaunch(PlannedCase Planned, int Index, LaunchInTurns Turns)
    {
        public BegunLaunch(PlannedCase planned, int index, LaunchLimit limit, SuiteOptions options)
            : this(
                planned,
                index,
                new LaunchInTurns(
                    (listener, takeInput) =>
                        limit.Run(logger => OwnLaunch.Run(planned, options, index, isBare: false, logger, takeInput), listener, index)
                )
            ) { }
    }
}
