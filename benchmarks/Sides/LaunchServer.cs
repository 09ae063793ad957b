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
        RunIdentity identity = folder.Begin(SuiteRunner.NewIdentity(), context.Machine, plan, options.Seed, options.KeepPaths);
        using MeasuringTraces traces = new();
        using RunRecorder recorder = new(identity, context, plan, folder, traces, isOpen: true);
        using ProcessState process = new();
        process.Set(MeasuringTraces.Variable, traces.JobId);
        process.Set(HomePaths.KeepVariable, options.KeepPaths ? "1" : "");
        process.Set(SuitePlan.Variable, folder.PlanPath);
        process.Set(MeasuringPriority.Variable, MeasuringPriority.Current() ?? "");
        return new LaunchServer(options, context, plan, folder, recorder).Answer(input, tell);
    }

    private int Answer(TextReader input, Action<SideMessage> tell)
    {
        folder.Write(recorder.Part());
        tell(new SideReady(folder.WorkPath));
        while (input.ReadLine() is { } line)
        {
            switch (line.Split(' ', 2))
            {
                case ["complete"]:
                    DeleteLaunch();
                    folder.Complete(Whole());
                    tell(new SideCompleted(folder.Path));
                    return ExitCode.Success;
                case ["discard"]:
                    folder.Discard();
                    return ExitCode.Success;
                case ["launch", var caseId] when plan.Runnable.FirstOrDefault(planned => planned.CaseId == caseId) is { } planned:
                    RunWriter.Write(Launch(planned), LaunchFolder);
                    tell(new SideLaunched(LaunchFolder, _launchTime.TotalMilliseconds));
                    break;
                default:
                    throw new UsageException($"'{line}' is nothing that {Verb} does; it is for ab, not for people");
            }
        }

        return ExitCode.Interrupted;
    }

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
        int index = _counts[planned.CaseId] = _counts.GetValueOrDefault(planned.CaseId) + 1;
        long begun = Stopwatch.GetTimestamp();
        ExecuteResult result = _limit.Run(
            logger => OwnLaunch.Run(planned, context.Options, index, isBare: false, logger),
            NullLogger.Instance,
            index
        );
        _launchTime = Stopwatch.GetElapsedTime(begun);
        LaunchResult launch = LaunchResult.Of(planned.CaseId, index, result);
        recorder.Keep(launch);
        return recorder.Of([launch], planned);
    }
}
