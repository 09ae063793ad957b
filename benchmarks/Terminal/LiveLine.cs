using System.Diagnostics;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>The one line of a terminal that is written over: what is being done, for how long, and how long it will take. A pipe gets
/// nothing of it but what is worth a line of its own.</summary>
internal sealed class LiveLine : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Timer? _timer;
    private IReadOnlyList<string> _parts = [];
    private double? _left;
    private bool _isGuess;
    private long _leftFrom;
    private long _phaseFrom;
    private long _shown;
    private bool _isOn;

    public LiveLine() =>
        _timer = Screen.IsLive ? new Timer(_ => Tick(), state: null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1)) : null;

    /// <summary>Shows what is being done now.</summary>
    /// <param name="parts">What, the most important first; the last is the phase, whose time is counted.</param>
    /// <param name="secondsLeft">Null where nobody knows; until all is done, from <paramref name="since"/> on.</param>
    /// <param name="isGuess">Whether nothing has been measured yet.</param>
    /// <param name="since">Timestamp that the time left counts from.</param>
    public void Show(IReadOnlyList<string> parts, double? secondsLeft, bool isGuess, long since)
    {
        lock (_lock)
        {
            if (_parts.Count == 0 || _parts[^1] != parts[^1])
            {
                _phaseFrom = Stopwatch.GetTimestamp();
            }

            (_parts, _left, _isGuess, _leftFrom, _isOn) = (parts, secondsLeft, isGuess, since, true);
            Draw();
        }
    }

    /// <summary>A line for those who see no live one.</summary>
    public static void Say(string text)
    {
        if (!Screen.IsLive)
        {
            Console.WriteLine(text);
        }
    }

    /// <summary>Leaves an empty line for others to write on.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            if (_isOn && _timer is not null)
            {
                Console.Write('\r' + new string(' ', Screen.Width - 1) + '\r');
            }

            _isOn = false;
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        Clear();
    }

    /// <summary>A bar of the part that is done.</summary>
    internal static string Bar(double share)
    {
        const int width = 20;
        int filled = (int)(Math.Clamp(share, 0, 1) * width);
        return new string('█', filled) + new string('░', width - filled);
    }

    /// <summary>The line at a width: the parts that fit, none of them cut but the first.</summary>
    internal static string Fit(IReadOnlyList<string> parts, int width)
    {
        string line = "";
        foreach (string part in parts.Where(part => part.Length > 0))
        {
            string longer = line.Length == 0 ? part : $"{line}  {part}";
            line =
                longer.Length <= width ? longer
                : line.Length == 0 ? part[..(width - 1)] + "…"
                : line;
        }

        return line;
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_isOn && Stopwatch.GetElapsedTime(_shown) > TimeSpan.FromSeconds(0.9))
            {
                Draw();
            }
        }
    }

    private void Draw()
    {
        if (_timer is null)
        {
            return;
        }

        _shown = Stopwatch.GetTimestamp();
        double phase = Stopwatch.GetElapsedTime(_phaseFrom).TotalSeconds;
        // A guess that has run out says nothing.
        string time =
            _left - Stopwatch.GetElapsedTime(_leftFrom).TotalSeconds is { } left && (left > 0 || !_isGuess)
                ? $"{(_isGuess ? "about " : "")}{Plain.Duration(left)} left"
                : "";
        string counted = phase >= 2 ? $"{_parts[^1]} {Plain.Duration(phase)}" : _parts[^1];
        int width = Screen.Width - 1;
        Console.Write('\r' + Fit([_parts[0], .. _parts.Skip(1).SkipLast(1), time, counted], width).PadRight(width));
    }
}
