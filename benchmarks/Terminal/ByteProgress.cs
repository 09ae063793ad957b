using System.Diagnostics;
using System.Globalization;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>A progress bar with GB/s over work that counts bytes; it appears once the work has taken a moment.</summary>
internal static class ByteProgress
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    public static T Show<T>(string title, Func<IProgress<BuildProgress>, CancellationToken, T> work)
    {
        using CancellationTokenSource cancellation = new();
        ConsoleCancelEventHandler cancel = (_, arguments) =>
        {
            // The work removes what it has half written, then the program ends.
            arguments.Cancel = true;
            cancellation.Cancel();
        };
        Console.CancelKeyPress += cancel;
        try
        {
            using Bar bar = new(title);
            T result = work(bar, cancellation.Token);
            bar.End();
            return result;
        }
        finally
        {
            Console.CancelKeyPress -= cancel;
        }
    }

    private sealed class Bar(string title) : IProgress<BuildProgress>, IDisposable
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private readonly LiveLine _line = new();
        private readonly Lock _lock = new();
        private TimeSpan _lastDrawn;
        private BuildProgress? _last;

        public void Report(BuildProgress value)
        {
            lock (_lock)
            {
                _last = value;
                TimeSpan now = _watch.Elapsed;
                if (now > s_patience && now - _lastDrawn > s_pause)
                {
                    _lastDrawn = now;
                    double share = value.BytesTotal > 0 ? (double)value.BytesDone / value.BytesTotal : 0;
                    _line.Show(
                        [
                            Invariant($"{title} {share:0%}"),
                            LiveLine.Bar(share),
                            Invariant($"{value.BytesDone / 1e9 / now.TotalSeconds:0.00} GB/s"),
                            Invariant($"{value.BytesDone / 1e9:0.00} of {value.BytesTotal / 1e9:0.00} GB"),
                        ],
                        share > 0 ? now.TotalSeconds * (1 - share) / share : null,
                        isGuess: false,
                        Stopwatch.GetTimestamp()
                    );
                }
            }
        }

        public void End()
        {
            _line.Clear();
            if (_last is { } last && _watch.Elapsed > s_patience)
            {
                Screen.Line(
                    Invariant($"{title}: {last.BytesTotal / 1e9:0.00##} GB in {_watch.Elapsed.TotalSeconds:0.0} s, ")
                        + Invariant($"{last.BytesTotal / 1e9 / _watch.Elapsed.TotalSeconds:0.00##} GB/s")
                );
            }
        }

        public void Dispose() => _line.Dispose();

        private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }
}
