using System.Diagnostics;
using System.IO.Pipes;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Two launches that take turns: each, warmed up, waits before every generation until it is told to go on, so that what the machine does
/// from second to second meets both alike. This is the end of the process that measures; <see cref="LaunchInTurns"/> is the other.
/// </summary>
internal static class Turns
{
    /// <summary>Environment variable of a process that waits for its turns: where they come from, <see cref="Input"/> or the name of a
    /// pipe.</summary>
    public const string Variable = "LLAMA3PERF_TURNS";

    /// <summary>Turns come by standard input.</summary>
    public const string Input = "1";

    /// <summary>Generations of a turn take so long at least, ms: the first is slowed by what the other left in the caches.</summary>
    private const double ShortestMs = 200;

    // ONNX Runtime's threads spin on after their last work, which would be in the other's turn.
    private const double RestingPercent = 10;
    private const double LongestRestMs = 500;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    // A process that takes turns makes one launch.
    private static readonly Lazy<TextReader> s_turns = new(Open);
    private static double? s_begunMs;

    /// <summary>Whether this process does.</summary>
    public static bool AreTaken => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable));

    /// <summary>Whether to make another generation: until there are enough, or as long as turns come.</summary>
    /// <param name="hasEnough">Whether it has measured as much as a launch does.</param>
    /// <param name="measuredMs">Time of its generations so far.</param>
    /// <param name="say">Prints a line.</param>
    public static bool GoOn(bool hasEnough, double measuredMs, Action<string> say)
    {
        if (!AreTaken)
        {
            return !hasEnough;
        }

        if (measuredMs - s_begunMs < ShortestMs)
        {
            return true;
        }

        s_begunMs = measuredMs;
        return Await(hasEnough, say);
    }

    /// <summary>Waits until its threads rest, says that it waits for its turn, and waits.</summary>
    /// <param name="hasEnough">Whether it has measured as much as a launch does.</param>
    /// <param name="say">Prints a line.</param>
    /// <returns>False when no more turns come.</returns>
    private static bool Await(bool hasEnough, Action<string> say)
    {
        TextReader turns = s_turns.Value;
        Rest();
        say(new TurnAwaited(hasEnough).Format());
        Console.Out.Flush();
        bool isMine = turns.ReadLine() is not null;
        say(new TurnTaken().Format());
        Console.Out.Flush();
        return isMine;
    }

    // BenchmarkDotNet's children have no standard input of ours.
    private static TextReader Open()
    {
        string from = Environment.GetEnvironmentVariable(Variable)!;
        if (from == Input)
        {
            return Console.In;
        }

        NamedPipeClientStream pipe = new(".", from, PipeDirection.In);
        pipe.Connect();
        return new StreamReader(pipe);
    }

    private static void Rest()
    {
        long start = Stopwatch.GetTimestamp();
        double used;
        do
        {
            (long begun, double before) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime.TotalMilliseconds);
            Thread.Sleep(s_look);
            used = (Environment.CpuUsage.TotalTime.TotalMilliseconds - before) / Stopwatch.GetElapsedTime(begun).TotalMilliseconds * 100;
        } while (used > RestingPercent && Stopwatch.GetElapsedTime(start).TotalMilliseconds < LongestRestMs);
    }
}
