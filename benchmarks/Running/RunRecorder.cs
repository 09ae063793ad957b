using System.Diagnostics;
using System.Runtime.InteropServices;
using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Results.Rows;

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
    private TimeSpan _writing;
    private long _written = Stopwatch.GetTimestamp();

    public RunRecorder(RunIdentity identity, PlanContext context, SuitePlan plan, RunOutput folder)
    {
        (_identity, _context, _plan, _folder) = (identity, context, plan, folder);
        _memoryGigabytesPerSecond = plan.Runnable.Any(planned => planned.Key.Provider == "cpu") ? s_memoryBandwidth.Value : null;
        _signals =
        [
            .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT }.Select(signal =>
                PosixSignalRegistration.Create(signal, OnSignal)
            ),
        ];
    }

    /// <summary>How to go on with the run, when launches are kept.</summary>
    public string WhereKept =>
        $"{_folder.Journal.Launches.Count} finished launches are kept in {_folder.WorkPath}; go on with: run --resume {_folder.WorkPath}";

    /// <summary>The launch, if an earlier part of the run has made it.</summary>
    public LaunchResult? Find(string caseId, int index) =>
        _folder.Journal.Launches.FirstOrDefault(launch => launch.CaseId == caseId && launch.Index == index);

    /// <summary>The machine and the libraries that were really loaded.</summary>
    public RunEnvironment Environment()
    {
        IReadOnlyList<LoadedLibrary> libraries =
            _folder.Journal.Launches.SelectMany(launch => launch.Parsed).OfType<LaunchStarted>().FirstOrDefault()?.Libraries ?? [];
        return EnvironmentCapture.Capture(_context.Machine, _context.Device, libraries, _memoryGigabytesPerSecond);
    }

    /// <summary>Keeps a launch. Does not return when the signal that ended it is about to end this process too.</summary>
    public void Keep(LaunchResult launch)
    {
        // A launch within this process fails too when its libraries are being shut down.
        if (_isInterrupted.IsSet || (IsEndedBySignal(launch.ExitCode) && _isInterrupted.Wait(s_signalDelay)))
        {
            Thread.Sleep(Timeout.Infinite);
        }

        lock (_lock)
        {
            _folder.Journal.Append(launch);
            if (_folder.Journal.Launches.Count <= AlwaysWritten || Stopwatch.GetElapsedTime(_written) > _writing * WritingShare)
            {
                WritePart();
            }
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
        _isInterrupted.Set();
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

        if (_folder.Journal.Launches.Count == 0)
        {
            _folder.Dispose();
        }

        System.Environment.Exit(exitCode);
    }

    private void WritePart()
    {
        long start = Stopwatch.GetTimestamp();
        RunEnvironment environment = Environment();
        ILookup<string, LaunchResult> launches = _folder.Journal.Launches.ToLookup(launch => launch.CaseId);
        _folder.Write(
            new Run(
                _identity,
                environment,
                [
                    .. _plan.Cases.Select(planned =>
                        planned.IsRunnable
                            ? OutcomeReader.ReadPart(
                                planned,
                                [.. launches[planned.CaseId]],
                                _context.Options.Launches,
                                _identity,
                                environment
                            )
                            : OutcomeReader.NotMeasured(planned)
                    ),
                ]
            )
        );
        _written = Stopwatch.GetTimestamp();
        _writing = Stopwatch.GetElapsedTime(start);
    }
}
