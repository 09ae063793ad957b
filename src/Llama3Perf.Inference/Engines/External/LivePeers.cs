using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Llama3Perf.Inference.Machine;

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
        MarkedProcesses.Kill(MarkVariable, mark);
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
        s_signals = [.. ProcessSignals.All.Select(signal => PosixSignalRegistration.Create(signal, _ => KillAll()))];
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
}
