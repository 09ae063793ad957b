using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>
/// Keeps the files of a run true while it is measured: each launch that ends is in the journal before the next one starts, and in the
/// tables as often as writing them takes no time that matters. A signal that ends the process leaves an interrupted run.
/// </summary>
internal sealed class RunRecorder : IDisposable
{
    // Small tables are written after every launch; beyond, writing them may take a twentieth of the run's time.
    private const int AlwaysWritten = 200;
    private const int WritingShare = 20;

    // Of each end of an interval, as in comparisons.
    private const double TargetAlpha = 0.01;
    private static readonly TimeSpan s_signalDelay = TimeSpan.FromSeconds(2);

    // Once for a process, before its first case; a tenth is as exact as it is.
    private static readonly Lazy<double?> s_memoryBandwidth = new(() =>
        MemoryBandwidth.Read(PhysicalCores.Count) is { } found ? Math.Round(found, 1) : null
    );

    private readonly RunIdentity _identity;
    private readonly PlanContext _context;
    private readonly SuitePlan _plan;
    private readonly RunOutput _folder;
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _isInterrupted = new();
    private readonly PosixSignalRegistration[] _signals;
    private readonly double? _memoryGigabytesPerSecond;
    private bool _isEnding;
    private TimeSpan _writing;
    private long _written = Stopwatch.GetTimestamp();

    private readonly int? _wanted;

    /// <param name="identity">The run.</param>
    /// <param name="context">What was asked for, and the machine.</param>
    /// <param name="plan">Its cases.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="traces">The processes and folders of this measuring.</param>
    /// <param name="isOpen">True when what the launches show decides how many there will be.</param>
    public RunRecorder(
        RunIdentity identity,
        PlanContext context,
        SuitePlan plan,
        RunOutput folder,
        MeasuringTraces traces,
        bool isOpen = false
    )
    {
        _wanted = isOpen ? null : context.Options.Launches;
        (_identity, _context, _plan, _folder, Traces) = (identity, context, plan, folder, traces);
        _memoryGigabytesPerSecond = plan.Runnable.Any(planned => planned.Key.Provider == "cpu") ? s_memoryBandwidth.Value : null;
        _signals = [.. ProcessSignals.All.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    /// <summary>The processes and folders of this measuring.</summary>
    public MeasuringTraces Traces { get; }

    /// <summary>How to go on with the run, when launches are kept.</summary>
    public string WhereKept =>
        $"{_folder.Journal.Launches.Count} finished launches are kept in {_folder.WorkPath}; go on with: run --resume {_folder.WorkPath}";

    /// <summary>The launch, if an earlier part of the run has made it.</summary>
    public LaunchResult? Find(string caseId, int index) =>
        _folder.Journal.Launches.FirstOrDefault(launch => launch.CaseId == caseId && launch.Index == index);

    /// <summary>The launches of a case that its engine's own program makes.</summary>
    public KeptLaunches OwnOf(PlannedCase planned) =>
        new(
            index => Find(planned.CaseId, index)?.Parsed.OfType<ProgramMeasured>().SingleOrDefault()?.Text,
            (index, text) => Keep(new LaunchResult(planned.CaseId, index, ExitCode: 0, [new ProgramMeasured(text).Format()], []))
        );

    /// <summary>What BenchmarkDotNet's launches are kept by.</summary>
    /// <param name="begin">Told before each launch.</param>
    public LaunchBook Book(Action<PlannedCase, int> begin) => new(Find, Keep, LaunchesOf, HalfWidth, begin);

    /// <summary>The finished launches of a case, in order.</summary>
    public IReadOnlyList<LaunchResult> LaunchesOf(string caseId) =>
        [.. _folder.Journal.Launches.Where(launch => launch.CaseId == caseId).OrderBy(launch => launch.Index)];

    // A case of one new token has no decode rate to be known.
    private double? HalfWidth(string caseId)
    {
        PlannedCase planned = _plan.Cases.First(candidate => candidate.CaseId == caseId);
        CaseOutcome outcome = OutcomeReader.Read(planned, LaunchesOf(caseId), _identity, Environment());
        return MedianEstimate.Of(outcome.Samples, "decode_tps", TargetAlpha) is { } median ? median.RelativeHalfWidth : 0;
    }

    /// <summary>What a case that was measured until its rate was known well enough came to; nothing where a count was asked for.</summary>
    public IEnumerable<string> TargetNote(string caseId)
    {
        if (_context.Options.Until is { } target && LaunchesOf(caseId).Count is > 0 and var launches)
        {
            double? known = HalfWidth(caseId);
            string width = known is { } half
                ? string.Create(CultureInfo.InvariantCulture, $"within ±{half * 100:0.##} %")
                : "without an interval";
            yield return known <= target
                ? $"decode rate {width} after {launches} launches, as --until asked"
                : $"decode rate {width} after {launches} launches: the budget of {_context.Options.Budget.Text("launches")} is spent";
        }
    }

    /// <summary>The machine and the libraries that were really loaded.</summary>
    public RunEnvironment Environment()
    {
        // A launch loads what its engine needs, so a run of several engines has them from several launches.
        IReadOnlyList<LoadedLibrary> libraries =
        [
            .. _folder
                .Journal.Launches.SelectMany(launch => launch.Parsed)
                .OfType<LaunchStarted>()
                .SelectMany(started => started.Libraries)
                .DistinctBy(library => library.Name),
        ];
        return EnvironmentCapture.Capture(_context.Machine, _context.Device, libraries, _memoryGigabytesPerSecond);
    }

    /// <summary>Keeps a launch. Does not return when the signal that ended it is about to end this process too.</summary>
    public void Keep(LaunchResult launch)
    {
        // A launch within this process fails too when its libraries are being shut down.
        if (IsEndedBySignal(launch.ExitCode))
        {
            _isInterrupted.Wait(s_signalDelay);
        }

        WaitForEnd();

        lock (_lock)
        {
            _folder.Journal.Append(launch);
            if (_folder.Journal.Launches.Count <= AlwaysWritten || Stopwatch.GetElapsedTime(_written) > _writing * WritingShare)
            {
                WritePart();
            }
        }
    }

    /// <summary>Does not return when a signal is about to end this process: what was killed with it is no result.</summary>
    public void WaitForEnd()
    {
        if (_isInterrupted.IsSet)
        {
            Thread.Sleep(Timeout.Infinite);
        }
    }

    /// <summary>Writes the tables of what there is; the run goes no further in this process.</summary>
    /// <returns>False when there is nothing to keep.</returns>
    public bool Stop()
    {
        lock (_lock)
        {
            if (_folder.Journal.Launches.Count > 0)
            {
                WritePart();
            }

            return _folder.Journal.Launches.Count > 0;
        }
    }

    /// <summary>Ends the run and the process because a launch within it hangs.</summary>
    public void End(string reason)
    {
        Stop();
        Console.Error.WriteLine($"error: {reason}; {WhereKept}");
        System.Environment.Exit(ExitCode.Failed);
    }

    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }
    }

    // In a terminal Ctrl-C goes to the measuring process as well.
    private static bool IsEndedBySignal(int? exitCode) => exitCode is 129 or 130 or 131 or 143 or unchecked((int)0xC000013A);

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Exchange(ref _isEnding, true))
        {
            return;
        }

        _isInterrupted.Set();
        Traces.EndProcesses();
        int exitCode = context.Signal switch
        {
            PosixSignal.SIGINT => 130,
            PosixSignal.SIGTERM => 143,
            PosixSignal.SIGHUP => 129,
            _ => 131,
        };
        try
        {
            bool isKept = Stop();
            Console.Error.WriteLine($"\ninterrupted; {(isKept ? WhereKept : "nothing was measured, and nothing is left")}");
        }
#pragma warning disable CA1031 // The process ends here in any case; the journal is on the disk already.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Failure.Show(exception);
        }

        Traces.Dispose();
        if (_folder.Journal.Launches.Count == 0)
        {
            _folder.Dispose();
        }

        System.Environment.Exit(exitCode);
    }

    /// <summary>The run as far as it is.</summary>
    public Run Part()
    {
        RunEnvironment environment = Environment();
        return Of(environment, (planned, launches) => OutcomeReader.ReadPart(planned, launches, _wanted, _identity, environment));
    }

    /// <summary>The run when no more will be measured of it.</summary>
    public Run Whole()
    {
        RunEnvironment environment = Environment();
        return Of(
            environment,
            (planned, launches) =>
                launches.Count > 0
                    ? OutcomeReader.Read(planned, launches, _identity, environment)
                    : OutcomeReader.ReadPart(planned, launches, _wanted, _identity, environment)
        );
    }

    /// <summary>A run of some launches of one case alone.</summary>
    public Run Of(IReadOnlyList<LaunchResult> launches, PlannedCase planned)
    {
        RunEnvironment environment = Environment();
        return new Run(_identity, environment, [OutcomeReader.Read(planned, launches, _identity, environment)]);
    }

    private Run Of(RunEnvironment environment, Func<PlannedCase, IReadOnlyList<LaunchResult>, CaseOutcome> read)
    {
        ILookup<string, LaunchResult> launches = _folder.Journal.Launches.ToLookup(launch => launch.CaseId);
        return new Run(
            _identity,
            environment,
            [
                .. _plan.Cases.Select(planned =>
                    planned.IsRunnable
                        ? read(planned, [.. launches[planned.CaseId].OrderBy(launch => launch.Index)]) with
                        {
                            LaunchOrder = _context.Options.OrderText,
                        }
                        : OutcomeReader.NotMeasured(planned)
                ),
            ]
        );
    }

    private void WritePart()
    {
        long start = Stopwatch.GetTimestamp();
        RunWriter.Write(HomePaths.Shown(Part()), _folder.WorkPath);
        _written = Stopwatch.GetTimestamp();
        _writing = Stopwatch.GetElapsedTime(start);
    }
}
