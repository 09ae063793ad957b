namespace Llama3Perf.Inference.Machine;

/// <summary>How a process ended, in words.</summary>
public static class ProcessEnd
{
    // Those that end a program by themselves or by another's hand, with the numbers that Linux and macOS agree on and Linux's SIGBUS.
    private static readonly Dictionary<int, string> s_signals = new()
    {
        [1] = "SIGHUP",
        [2] = "SIGINT",
        [3] = "SIGQUIT",
        [4] = "SIGILL",
        [5] = "SIGTRAP",
        [6] = "SIGABRT",
        [7] = OperatingSystem.IsMacOS() ? "SIGEMT" : "SIGBUS",
        [8] = "SIGFPE",
        [9] = "SIGKILL",
        [10] = OperatingSystem.IsMacOS() ? "SIGBUS" : "SIGUSR1",
        [11] = "SIGSEGV",
        [13] = "SIGPIPE",
        [14] = "SIGALRM",
        [15] = "SIGTERM",
        [24] = "SIGXCPU",
        [25] = "SIGXFSZ",
        [31] = "SIGSYS",
    };

    /// <summary><c>exit code 3</c>, or <c>exit code 134: the signal SIGABRT</c>; on Windows the crash's code as its documentation writes
    /// it.</summary>
    /// <param name="exitCode">As .NET gives it: on Unix 128 and the number of a signal.</param>
    public static string Describe(int exitCode) =>
        exitCode switch
        {
            < 0 when OperatingSystem.IsWindows() => $"exit code 0x{exitCode:X8}",
            > 128 when !OperatingSystem.IsWindows() && s_signals.TryGetValue(exitCode - 128, out string? signal) =>
                $"exit code {exitCode}: the signal {signal}{Hint(signal)}",
            _ => $"exit code {exitCode}",
        };

    private static string Hint(string signal) => signal == "SIGKILL" ? ", as the system sends it when memory runs out" : "";
}
