using System.Diagnostics;
using System.Globalization;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>A progress bar with GB/s over work that counts bytes; it appears once the work has taken a moment.</summary>
internal static class ByteProgress
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

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
            Bar bar = new(title);
            T result = work(bar, cancellation.Token);
            bar.End();
            return result;
        }
        finally
        {
            Console.CancelKeyPress -= cancel;
        }
    }

    private sealed class Bar(string title) : IProgress<BuildProgress>
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private readonly Lock _lock = new();
        private TimeSpan _lastDrawn;
        private BuildProgress? _last;

        public void Report(BuildProgress value)
        {
            lock (_lock)
            {
                _last = value;
                TimeSpan now = _watch.Elapsed;
                if (now > s_patience && now - _lastDrawn > TimeSpan.FromMilliseconds(100) && !Console.IsOutputRedirected)
                {
                    _lastDrawn = now;
                    Draw(value, now);
                }
            }
        }

        public void End()
        {
            if (_last is { } last && _watch.Elapsed > s_patience)
            {
                string line = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{title}: {last.BytesTotal / 1e9:0.00} GB in {_watch.Elapsed.TotalSeconds:0.0} s, "
                        + $"{last.BytesTotal / 1e9 / _watch.Elapsed.TotalSeconds:0.00} GB/s"
                );
                Console.WriteLine((Console.IsOutputRedirected ? "" : "\r") + line + new string(' ', 30));
            }
        }

        private static string Left(double share, TimeSpan elapsed)
        {
            TimeSpan left = share > 0 ? elapsed * ((1 - share) / share) : TimeSpan.MaxValue;
            return left < TimeSpan.FromHours(24)
                ? left.ToString(left.TotalHours >= 1 ? @"h\:mm\:ss" : @"m\:ss", CultureInfo.InvariantCulture)
                : "?";
        }

        private void Draw(BuildProgress value, TimeSpan elapsed)
        {
            const int width = 30;
            double share = value.BytesTotal > 0 ? (double)value.BytesDone / value.BytesTotal : 0;
            int filled = (int)(share * width);
            string bar = new string('█', filled) + new string('░', width - filled);
            Console.Write(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"\r{title} {bar} {share:0%}  {value.BytesDone / 1e9:0.00}/{value.BytesTotal / 1e9:0.00} GB  "
                        + $"{value.BytesDone / 1e9 / elapsed.TotalSeconds:0.00} GB/s  {Left(share, elapsed)} left   "
                )
            );
        }
    }
}
