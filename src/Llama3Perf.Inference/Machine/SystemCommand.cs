using System.Collections.Concurrent;

namespace Llama3Perf.Inference.Machine;

/// <summary>Runs one of the system's own tools and takes what it prints.</summary>
internal static class SystemCommand
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    // A tool that hangs once, as nvidia-smi does with a driver in trouble, is not asked after every iteration.
    private static readonly ConcurrentDictionary<string, bool> s_hung = new(StringComparer.Ordinal);

    /// <summary>Standard output, or null: no such tool, an exit status other than 0, or no end within ten seconds, now or the last
    /// time.</summary>
    public static string? Output(string tool, params string[] arguments) => Output(s_patience, tool, arguments);

    internal static string? Output(TimeSpan patience, string tool, params string[] arguments)
    {
        string command = string.Join('\0', [tool, .. arguments]);
        if (s_hung.ContainsKey(command))
        {
            return null;
        }

        try
        {
            return PipedProgram.Run(tool, arguments, patience);
        }
        catch (EngineException e)
        {
            if (e.InnerException is TimeoutException)
            {
                s_hung[command] = true;
            }

            return null;
        }
    }
}
