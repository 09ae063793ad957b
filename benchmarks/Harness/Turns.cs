using System.Diagnostics;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// Two launches that take turns: each, warmed up, waits before every generation until it is told to go on, so that what the machine does
/// from second to second meets both alike. This is the end of the process that measures; <see cref="LaunchInTurns"/> is the other.
/// </summary>
internal static class Turns
{
    /// <summary>Environment variable of a process that waits for its turns.</summary>
    public const string Variable = "LLAMA3PERF_TURNS";

    /// <summary>Generations of a turn take so long at least, ms: the first is slowed by what the other left in the caches.</summary>
    public const double ShortestMs = 200;

    // ONNX Runtime's threads spin on after their last work, which would be in the other's turn.
    private const double RestingPercent = 10;
    private const double LongestRestMs = 500;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(10);

    /// <summary>Whether this process does.</summary>
    public static bool AreTaken => Environment.GetEnvironmentVariable(Variable) == "1";

    /// <summary>Waits until its threads rest, says that it waits for its turn, and waits.</summary>
    /// <param name="hasEnough">Whether it has measured as much as a launch does.</param>
    /// <param name="say">Prints a line.</param>
    /// <returns>False when no more turns come.</returns>
    public static bool Await(bool hasEnough, Action<string> say)
    {
        Rest();
        say(new TurnAwaited(hasEnough).Format());
        Console.Out.Flush();
        bool isMine = Console.In.ReadLine() is not null;
        say(new TurnTaken().Format());
        Console.Out.Flush();
        return isMine;
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
