using System.Diagnostics;
using System.Reflection;
using Llama3Perf.Inference.Engines.External;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Where the suite keeps what it makes, how it was built, and whether it can build child processes from source.</summary>
internal static class Workspace
{
    private const string Solution = "Llama3Perf.sln";

    /// <summary>The clone that this program was built in, or null for a published copy elsewhere.</summary>
    public static string? RepositoryRoot { get; } = RootOf(AppContext.BaseDirectory, Environment.CurrentDirectory);

    /// <summary>The folder <c>artifacts</c>: the clone's, or one below the current directory for a published copy.</summary>
    public static string Artifacts { get; } = Path.Combine(RepositoryRoot ?? Environment.CurrentDirectory, "artifacts");

    public static string Models { get; } = Path.Combine(Artifacts, "models");

    public static string Results { get; } = Path.Combine(Artifacts, "results");

    /// <summary>False for a Debug build, whose numbers mean nothing.</summary>
    public static bool IsOptimized =>
        typeof(Workspace).Assembly.GetCustomAttribute<DebuggableAttribute>() is not { IsJITOptimizerDisabled: true };

    /// <summary>Why BenchmarkDotNet could not build child processes here; null when it can.</summary>
    public static string? NoBuiltProcesses() =>
        WhyNoBuiltProcesses(RepositoryRoot, AppContext.BaseDirectory, PeerCommand.Find("dotnet") is not null);

    /// <summary>The same for a program elsewhere.</summary>
    internal static string? WhyNoBuiltProcesses(string? root, string program, bool hasDotnet)
    {
        if (root is null)
        {
            return "no Llama3Perf.sln above this program";
        }

        // BenchmarkDotNet writes the path into a project file and command lines without quoting it.
        if (program.IndexOfAny(['&', ';', '%', '<', '>', '"', '\'', '$', '@', '#', ',']) is >= 0 and var index)
        {
            return $"the folder {program} has a '{program[index]}' in its name, which BenchmarkDotNet's generated project does not survive";
        }

        return hasDotnet ? null : "no dotnet on PATH";
    }

    /// <summary>The clone that a program lies in; else the one that it was started in.</summary>
    internal static string? RootOf(string program, string current) => FindUpwards(program) ?? FindUpwards(current);

    private static string? FindUpwards(string? folder)
    {
        while (folder is not null && !File.Exists(Path.Combine(folder, Solution)))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder;
    }
}
