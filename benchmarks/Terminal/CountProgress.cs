using System.Diagnostics;
using System.Globalization;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>A progress bar over work that is counted in steps; it goes when the work is over.</summary>
internal sealed class CountProgress(string title, int total) : IDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly LiveLine _line = new();
    private TimeSpan _lastDrawn;
    private int _done;

    /// <summary>Before the first step a model may have to be loaded: the bar is there from the beginning.</summary>
    public static CountProgress Begin(string title, int total)
    {
        CountProgress progress = new(title, total);
        progress.Draw();
        return progress;
    }

    /// <summary>One more step is done.</summary>
    public void Step()
    {
        _done++;
        TimeSpan now = _watch.Elapsed;
        if (now - _lastDrawn > s_pause)
        {
            _lastDrawn = now;
            Draw();
        }
    }

    private void Draw() =>
        _line.Show(
            [string.Create(CultureInfo.InvariantCulture, $"{title} {_done}/{total}"), LiveLine.Bar((double)_done / Math.Max(1, total))],
            _done > 0 ? _watch.Elapsed.TotalSeconds / _done * (total - _done) : null,
            isGuess: false,
            Stopwatch.GetTimestamp()
        );

    public void Dispose() => _line.Dispose();
}
