using System.Diagnostics;
using System.Globalization;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>A progress bar over work that is counted in steps; it goes when the work is over.</summary>
internal sealed class CountProgress(string title, int total) : IDisposable
{
    private const int Width = 30;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _lastDrawn;
    private int _done;
    private int _drawn;

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

    private void Draw()
    {
        if (Console.IsOutputRedirected)
        {
            return;
        }

        int filled = Math.Min(Width, Width * _done / Math.Max(1, total));
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{title} {new string('█', filled)}{new string('░', Width - filled)} {_done}/{total}"
        );
        _drawn = Math.Max(_drawn, line.Length);
        Console.Write("\r" + line);
    }

    public void Dispose()
    {
        if (_drawn > 0)
        {
            Console.Write("\r" + new string(' ', _drawn) + "\r");
        }
    }
}
