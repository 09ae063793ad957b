using System.Text.RegularExpressions;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>Clears away what killed processes left in a folder of runs: work without a finished launch, and runs that were killed while
/// they took the place of an older one. Only folders with the marker are touched, and only where no process holds it.</summary>
internal static partial class RunCleanup
{
    /// <returns>Runs that were killed and hold finished launches.</returns>
    public static IReadOnlyList<string> CleanUp(string folder)
    {
        List<string> interrupted = [];
        string[] runs = Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];
        foreach (string run in runs.Where(IsLeft).Order(StringComparer.Ordinal))
        {
            FileInfo journal = new(Path.Combine(run, RunFolder.Journal));
            if (journal is { Exists: true, Length: > 0 })
            {
                interrupted.Add(run);
            }
            else if (journal.Exists || !File.Exists(Path.Combine(run, RunFolder.Results)))
            {
                Remove(run);
            }
            else if (TargetOf(run) is { } target)
            {
                Finish(run, target, isOld: run.EndsWith(RunOutput.Old, StringComparison.Ordinal));
            }
        }

        return interrupted;
    }

    /// <summary>The folder that a run was to replace, or that it was replaced in; null for one that stands where it is wanted.</summary>
    public static string? TargetOf(string run) =>
        WorkName().Match(Path.GetFileName(run)) is { Success: true } work
            ? Path.Combine(Path.GetDirectoryName(run)!, work.Groups["name"].Value)
            : null;

    /// <summary>Deletes a folder, or as much of it as can be.</summary>
    public static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A child that dies at this moment still holds its log open; the next start removes the folder.
        }
    }

    private static bool IsLeft(string run) => File.Exists(Path.Combine(run, RunOutput.Marker)) && RunOutput.IsFree(run);

    // In the order of their names the new run comes before the old one that it replaces.
    private static void Finish(string run, string target, bool isOld)
    {
        if (isOld && Directory.Exists(target))
        {
            Remove(run);
        }
        else if (!isOld && (!Directory.Exists(target) || IsLeft(target)))
        {
            RunOutput.TakePlace(run, target);
        }
    }

    [GeneratedRegex(
        @"^\.(?<name>.+)\.[0-9a-f]{32}(\.old)?$",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex WorkName();
}
