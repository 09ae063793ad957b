using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;

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

        ProcessStartInfo start = new(tool, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            // Both pipes are emptied at once: a tool that fills one while nobody reads it would never end.
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            if (Task.WaitAll([output, errors], patience) && process.WaitForExit(patience))
            {
                return process.ExitCode == 0 ? output.Result : null;
            }

            s_hung[command] = true;
            process.Kill(entireProcessTree: true);
            return null;
        }
        catch (Exception e)
            when (e is Win32Exception or IOException or InvalidOperationException or AggregateException or PlatformNotSupportedException)
        {
            return null;
        }
    }
}
