using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Llama3Perf.Inference.Machine;

/// <summary>
/// Ends what a process started, by a mark in the environment that its descendants inherit: what a dead process started belongs to nobody's
/// tree any more, and a process id may meanwhile be another's. Only Linux shows the environment of others; elsewhere it finds none.
/// </summary>
public static class MarkedProcesses
{
    // What they start meanwhile is found by looking again.
    private const int Looks = 5;

    /// <summary>Ends every process but this one whose environment holds the variable with the value.</summary>
    public static void Kill(string variable, string value)
    {
        byte[] wanted = Encoding.UTF8.GetBytes($"{variable}={value}\0");
        for (int look = 0; OperatingSystem.IsLinux() && look < Looks; look++)
        {
            int[] found = [.. Find(wanted)];
            if (found.Length == 0)
            {
                return;
            }

            Array.ForEach(found, KillOne);
            Thread.Sleep(5);
        }
    }

    private static IEnumerable<int> Find(byte[] wanted)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (
                !int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                || id == Environment.ProcessId
            )
            {
                continue;
            }

            byte[] environment;
            try
            {
                environment = File.ReadAllBytes($"{folder}/environ");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            if (environment.AsSpan().IndexOf(wanted) >= 0)
            {
                yield return id;
            }
        }
    }

    private static void KillOne(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or Win32Exception)
        {
            // It ended by itself.
        }
    }
}
