using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Machine;

/// <summary>Sends signals that end or interrupt; on Windows it does nothing, where a console sends its own to all of its
/// processes.</summary>
public static partial class ProcessSignals
{
    private static readonly Dictionary<PosixSignal, int> s_numbers = new()
    {
        [PosixSignal.SIGHUP] = 1,
        [PosixSignal.SIGINT] = 2,
        [PosixSignal.SIGQUIT] = 3,
        [PosixSignal.SIGTERM] = 15,
    };

    /// <summary>The signals.</summary>
    public static IReadOnlyCollection<PosixSignal> All => s_numbers.Keys;

    /// <summary>Sends one to a process, which may have ended meanwhile.</summary>
    public static void Send(int processId, PosixSignal signal)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = Kill(processId, s_numbers[signal]);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
