using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains;
using BenchmarkDotNet.Toolchains.Parameters;
using BenchmarkDotNet.Toolchains.Results;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Ends a launch that hangs. Until its first generation a launch has half an hour; then the next line has to come within a multiple of
/// the longest time between lines so far. A limit for the whole launch can be given. At the limit the measuring process is killed with
/// all that it started, and the launch has failed; a launch within this process cannot be killed, so the run is ended.
/// </summary>
/// <param name="whole">Limit of a whole launch; null for none.</param>
/// <param name="stuck">Ends the run; called with the reason when a launch within this process hangs.</param>
internal sealed class LaunchLimit(TimeSpan? whole, Action<string>? stuck = null)
{
    private const int Factor = 20;
    private static readonly TimeSpan s_first = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan s_least = TimeSpan.FromMinutes(2);

    /// <summary>The same launch, which says what it has to say to another logger.</summary>
    public static ExecuteParameters With(ExecuteParameters parameters, ILogger logger) =>
        new(
            parameters.BuildResult,
            parameters.BenchmarkCase,
            parameters.BenchmarkId,
            logger,
            parameters.Resolver,
            parameters.LaunchIndex,
            parameters.Diagnoser
        );

    /// <summary>Runs a launch within the limit.</summary>
    public ExecuteResult Run(IExecutor executor, ExecuteParameters parameters) =>
        Run(logger => executor.Execute(With(parameters, logger)), parameters.Logger, parameters.LaunchIndex);

    /// <summary>Runs a launch within the limit.</summary>
    /// <param name="launch">Makes it, and tells each of its lines to a logger.</param>
    /// <param name="logger">Told every line.</param>
    /// <param name="index">Number of the launch.</param>
    public ExecuteResult Run(Func<ILogger, ExecuteResult> launch, ILogger logger, int index)
    {
        using Watch watch = new(whole, stuck);
        ExecuteResult result = launch(new WatchedLogger(logger, watch));
        return watch.Reason is { } reason
            ? new ExecuteResult(
                true,
                result.ExitCode,
                result.ProcessId,
                [.. result.Measurements.Select(measurement => measurement.ToString())],
                [.. result.PrefixedLines, new LaunchFailed(reason).Format()],
                result.StandardOutput,
                index
            )
            : result;
    }

    /// <summary>Kills a process and all that it started.</summary>
    public static void Kill(int processId)
    {
        try
        {
            using Process process = Process.GetProcessById(processId);
            process.Kill(entireProcessTree: true);
        }
        catch (Exception exception)
            when (exception
                    is ArgumentException
                        or InvalidOperationException
                        or Win32Exception
                        or AggregateException
                        or NotSupportedException
            )
        {
            // It has ended by itself, or as much of it as the system lets us end.
        }
    }

    private sealed class Watch : IDisposable
    {
        private readonly TimeSpan? _whole;
        private readonly Action<string>? _stuck;
        private readonly long _start = Stopwatch.GetTimestamp();
        private readonly Timer _timer;
        private readonly Lock _lock = new();
        private TimeSpan _patience = s_first;
        private TimeSpan _longest;
        private long _lastLine = Stopwatch.GetTimestamp();
        private int? _processId;
        private long? _waitingSince;
        private TimeSpan _waited;

        public Watch(TimeSpan? whole, Action<string>? stuck)
        {
            (_whole, _stuck) = (whole, stuck);
            TimeSpan period = TimeSpan.FromMilliseconds(Math.Clamp((whole ?? s_first).TotalMilliseconds / 10, 50, 1000));
            _timer = new Timer(_ => Look(), null, period, period);
        }

        /// <summary>Why the launch was ended; null when it was not.</summary>
        public string? Reason { get; private set; }

        public void Saw(MeasurementLine line)
        {
            lock (_lock)
            {
                if (line is ProcessStarted started)
                {
                    _processId = started.ProcessId;
                }

                if (_waitingSince is { } waiting)
                {
                    _waited += Stopwatch.GetElapsedTime(waiting);
                    (_waitingSince, _lastLine) = (null, Stopwatch.GetTimestamp());
                }

                TimeSpan since = Stopwatch.GetElapsedTime(_lastLine);
                _longest = since > _longest ? since : _longest;
                _lastLine = Stopwatch.GetTimestamp();
                _waitingSince = line is TurnAwaited ? _lastLine : null;
                if (line is IterationMeasured)
                {
                    TimeSpan patience = _longest * Factor;
                    _patience = patience > s_least ? patience : s_least;
                }
            }
        }

        public void Dispose()
        {
            using ManualResetEvent done = new(initialState: false);
            _timer.Dispose(done);
            done.WaitOne();
        }

        private void Look()
        {
            lock (_lock)
            {
                // While the other launch has its turn this one cannot hang.
                bool isOver = _whole is { } limit && Stopwatch.GetElapsedTime(_start) - _waited > limit;
                if (Reason is not null || _waitingSince is not null || !(isOver || Stopwatch.GetElapsedTime(_lastLine) > _patience))
                {
                    return;
                }

                string way = isOver ? "--launch-timeout gives it longer" : "it seems to hang";
                Reason = string.Create(
                    CultureInfo.InvariantCulture,
                    $"the measuring process did not end within {Stopwatch.GetElapsedTime(_start).TotalSeconds:0} s and was killed; {way}"
                );
            }

            if (_stuck is not null)
            {
                _stuck(
                    Reason
                        .Replace("the measuring process", "a launch within this process", StringComparison.Ordinal)
                        .Replace(" and was killed", "", StringComparison.Ordinal)
                );
                return;
            }

            foreach (int process in _processId is { } known ? [known] : MeasuringChildren())
            {
                Kill(process);
            }
        }

        // A child that hangs before it has told who it is: BenchmarkDotNet names the benchmark on its command line, we our verb.
        private static IEnumerable<int> MeasuringChildren() =>
            !OperatingSystem.IsLinux()
                ? []
                : Directory
                    .EnumerateDirectories("/proc")
                    .Select(Path.GetFileName)
                    .Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _) && IsMeasuringChild(name!))
                    .Select(name => int.Parse(name!, CultureInfo.InvariantCulture));

        private static bool IsMeasuringChild(string id)
        {
            try
            {
                string parent = File.ReadAllText($"/proc/{id}/stat").Split(") ")[^1].Split(' ')[1];
                return parent == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
                    && File.ReadAllText($"/proc/{id}/cmdline") is var line
                    && (
                        line.Contains("--benchmarkId", StringComparison.Ordinal) || line.Contains(OwnLaunch.Verb, StringComparison.Ordinal)
                    );
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or IndexOutOfRangeException)
            {
                return false;
            }
        }
    }

    private sealed class WatchedLogger(ILogger next, Watch watch) : ILogger
    {
        public string Id => next.Id;

        public int Priority => next.Priority;

        public void Write(LogKind logKind, string text) => next.Write(logKind, text);

        public void WriteLine() => next.WriteLine();

        public void WriteLine(LogKind logKind, string text)
        {
            if (MeasurementLine.Parse(text) is { } line)
            {
                watch.Saw(line);
            }

            next.WriteLine(logKind, text);
        }

        public void Flush() => next.Flush();
    }
}
