using System.Diagnostics;
using System.Reflection;
using Llama3Perf.Inference.Engines.External;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Where the suite keeps what it makes, how it was built, and whether it can build child processes from source.</summary>
internal static class Workspace
{
    private const string Solution = "Llama3Perf.sln";

    /// <summary>The clone that this program was built in, or null for a published copy elsewhere.</summary>
    public static string? RepositoryRoot { get; } = FindUpwards(AppContext.BaseDirectory) ?? FindUpwards(Environment.CurrentDirectory);

    /// <summary>The folder <c>artifacts</c>: the clone's, or one below the current directory for a published copy.</summary>
    public static string Artifacts { get; } = Path.Combine(RepositoryRoot ?? Environment.CurrentDirectory, "artifacts");

    public static string Models { get; } = Path.Combine(Artifacts, "models");

    public static string Results { get; } = Path.Combine(Artifacts, "results");

    /// <summary>False for a Debug build, whose numbers mean nothing.</summary>
    public static bool IsOptimized { get; } =
        typeof(Workspace).Assembly.GetCustomAttribute<DebuggableAttribute>() is not { IsJITOptimizerDisabled: true };

    /// <summary>Why BenchmarkDotNet could not build child processes here; null when it can.</summary>
    public static string? NoBuiltProcesses()
    {
        if (RepositoryRoot is null)
        {
            return "no Llama3Perf.sln above this program";
        }

        // BenchmarkDotNet writes the path into a project file and command lines without quoting it.
        if (AppContext.BaseDirectory.IndexOfAny(['&', ';', '%', '<', '>', '"', '\'', '$', '@', '#', ',']) is >= 0 and var index)
        {
            return $"the folder {AppContext.BaseDirectory} has a '{AppContext.BaseDirectory[index]}' in its name, which BenchmarkDotNet's "
                + "generated project does not survive";
        }

        return PeerCommand.Find("dotnet") is null ? "no dotnet on PATH" : null;
    }

    private static string? FindUpwards(string? folder)
    {
        while (folder is not null && !File.Exists(Path.Combine(folder, Solution)))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder;
    }
}
