using System.Diagnostics;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Toolchains.Results;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>Where a launch that takes turns stands.</summary>
internal enum TurnState
{
    /// <summary>It waits for its next generation.</summary>
    Waiting,

    /// <summary>It waits, and has measured as much as a launch does.</summary>
    HasEnough,

    /// <summary>It is over before it was told so: it failed.</summary>
    Ended,
}

/// <summary>A launch whose generations are made one at a time, when they are asked for: <see cref="Turns"/>.</summary>
/// <param name="launch">Makes it, given a logger that is told its lines and what takes its standard input.</param>
internal sealed class LaunchInTurns(Func<ILogger, Action<StreamWriter>, ExecuteResult> launch) : IDisposable
{
    private readonly SemaphoreSlim _waits = new(0);
    private readonly Stopwatch _active = new();
    private Task<ExecuteResult>? _running;
    private StreamWriter? _input;
    private bool _hasEnough;

    /// <summary>Time that it was given: its start, its generations and its end.</summary>
    public TimeSpan Active => _active.Elapsed;

    /// <summary>Starts it and waits until it has loaded and warmed up.</summary>
    public TurnState Begin()
    {
        _active.Start();
        _running = Task.Run(() => launch(new Listener(this), input => _input = input));
        return Await();
    }

    /// <summary>Lets it make a generation, and waits for that.</summary>
    public TurnState Step()
    {
        _active.Start();
        try
        {
            _input!.WriteLine();
            _input.Flush();
        }
        catch (IOException)
        {
            // It has ended, as it will have said.
        }

        return Await();
    }

    /// <summary>Lets it end.</summary>
    public ExecuteResult End()
    {
        _active.Start();
        Close();
        ExecuteResult result = _running!.GetAwaiter().GetResult();
        _active.Stop();
        return result;
    }

    public void Dispose()
    {
        Close();
        _waits.Dispose();
    }

    private TurnState Await()
    {
        Task waits = _waits.WaitAsync();
        int first = Task.WaitAny(waits, _running!);
        _active.Stop();
        return first == 1 && !waits.IsCompleted ? TurnState.Ended
            : _hasEnough ? TurnState.HasEnough
            : TurnState.Waiting;
    }

    private void Close()
    {
        try
        {
            _input?.Dispose();
        }
        catch (IOException)
        {
            // It has ended already.
        }
    }

    private sealed class Listener(LaunchInTurns launch) : ILogger
    {
        public string Id => nameof(LaunchInTurns);

        public int Priority => 0;

        public void Write(LogKind logKind, string text)
        {
            // Lines come whole.
        }

        public void WriteLine()
        {
            // An empty one tells nothing.
        }

        public void WriteLine(LogKind logKind, string text)
        {
            if (MeasurementLine.Parse(text) is TurnAwaited awaited)
            {
                launch._hasEnough = awaited.HasEnough;
                launch._waits.Release();
            }
        }

        public void Flush()
        {
            // Nothing is kept.
        }
    }
}
