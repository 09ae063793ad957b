using System.ComponentModel;
using System.Diagnostics;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Harness;

/// <summary>
/// The priority that everything is measured at: the one that the suite was started with. BenchmarkDotNet raises that of its processes,
/// which other programs (llama-bench, external engines) do not get, and which on Linux reaches some threads and not others.
/// </summary>
internal static class MeasuringPriority
{
    /// <summary>Environment variable that takes the priority to the measuring processes.</summary>
    public const string Variable = "LLAMA3PERF_PRIORITY";

    /// <summary>The priority of this process as it is now.</summary>
    public static string? Current() => Ask(static process => process.PriorityClass.Name());

    /// <summary>Takes back what BenchmarkDotNet changed, before the engine makes its threads, which inherit it.</summary>
    /// <returns>The priority of this process after that; null where the system does not tell.</returns>
    public static string? Restore()
    {
        Thread.CurrentThread.Priority = ThreadPriority.Normal;
        if (Enum.TryParse(Environment.GetEnvironmentVariable(Variable), ignoreCase: true, out ProcessPriorityClass wanted))
        {
            _ = Ask(process =>
            {
                if (process.PriorityClass != wanted)
                {
                    process.PriorityClass = wanted;
                }

                return "";
            });
        }

        return Current();
    }

    private static string? Ask(Func<Process, string> question)
    {
        try
        {
            using Process self = Process.GetCurrentProcess();
            return question(self);
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException or NotSupportedException)
        {
            return null;
        }
    }
}
