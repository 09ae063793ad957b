using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>Peers that run now. None may outlive this process, however it ends, nor may what a peer itself started outlive the
/// peer.</summary>
internal static class LivePeers
{
    /// <summary>Environment variable that marks a peer and all that it starts.</summary>
    public const string MarkVariable = "LLAMA3PERF_PEER";

    private static readonly Dictionary<string, Process> s_live = [];
    private static readonly Lock s_lock = new();
    private static PosixSignalRegistration[]? s_signals;

    /// <summary>Remembers a started peer under its mark.</summary>
    public static void Add(string mark, Process process)
    {
        lock (s_lock)
        {
            Watch();
            s_live.Add(mark, process);
        }
    }

    /// <summary>Kills a peer and its descendants; a peer that is dead already too, for what it may have left behind.</summary>
    public static void Kill(string mark, Process process)
    {
        KillTree(process);
        KillMarked(mark);
        lock (s_lock)
        {
            s_live.Remove(mark);
        }
    }

    // ProcessExit does not come with a signal, and an own handler of Ctrl-C (BenchmarkDotNet's, the suite's) may end this process in its
    // own way.
    private static void Watch()
    {
        if (s_signals is not null)
        {
            return;
        }

        AppDomain.CurrentDomain.ProcessExit += (_, _) => KillAll();
        AppDomain.CurrentDomain.UnhandledException += (_, _) => KillAll();
        s_signals =
        [
            .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT }.Select(signal =>
                PosixSignalRegistration.Create(signal, _ => KillAll())
            ),
        ];
    }

    private static void KillAll()
    {
        KeyValuePair<string, Process>[] live;
        lock (s_lock)
        {
            live = [.. s_live];
        }

        foreach ((string mark, Process process) in live)
        {
            Kill(mark, process);
        }
    }

    private static void KillTree(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException or NotSupportedException)
        {
            // It is dead, or as dead as the system lets us make it.
        }
    }

    // On Linux what a dead peer started belongs to nobody's tree any more. Its environment still tells. What it starts meanwhile is found
    // by looking again.
    private static void KillMarked(string mark)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        byte[] wanted = Encoding.ASCII.GetBytes($"{MarkVariable}={mark}\0");
        for (int attempt = 0; attempt < 5; attempt++)
        {
            int[] found = [.. Marked(wanted)];
            if (found.Length == 0)
            {
                return;
            }

            foreach (int id in found)
            {
                KillOne(id);
            }

            Thread.Sleep(5);
        }
    }

    private static IEnumerable<int> Marked(byte[] wanted)
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
