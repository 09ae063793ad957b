namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>What the process tells its caller.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A case failed, or a gate found a regression.</summary>
    public const int Failed = 1;

    /// <summary>A file, folder, device or library is not usable, or nothing could be measured.</summary>
    public const int Input = 2;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 64;

    /// <summary>The suite itself is wrong; the message names a file with the details.</summary>
    public const int Bug = 70;

    /// <summary>Ended by Ctrl-C, as shells count it.</summary>
    public const int Interrupted = 130;
}

/// <summary>The command line is wrong. The message is one line that names the option and the way out.</summary>
internal sealed class UsageException(string message) : Exception(message);
