namespace Llama3Perf.Models.Files;

/// <summary>
/// The place of one build: a lock file and a temporary folder beside the target, <c>.NAME.lock</c> and <c>.NAME.building</c>.
/// The folder takes the target's name when it is complete and is deleted when it is not. The lock belongs to the process,
/// so a temporary folder whose lock is free is what a killed process left; any later build in the same place removes it. Only
/// folders that hold the marker of a build are removed: a name proves nothing.
/// </summary>
internal sealed class BuildDirectory : IDisposable
{
    /// <summary>File in a temporary folder that says whose it is.</summary>
    private const string Marker = ".llama3perf-building";

    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);

    // A lock file can vanish between the refusal and the question whether it is there; a folder without permission stays so.
    private const int RefusalsWithoutLock = 10;

    private readonly LockFile _lock;
    private bool _isBegun;

    private BuildDirectory(string target, string parent, LockFile held)
    {
        (Target, _lock) = (target, held);
        Temporary = Path.Combine(parent, TemporaryName(Path.GetFileName(target)));
    }

    /// <summary>Absolute path of the finished folder.</summary>
    public string Target { get; }

    /// <summary>Where to write meanwhile; there, empty, after <see cref="Begin"/>.</summary>
    public string Temporary { get; }

    /// <summary>Waits until no other build of the same folder runs, in any process.</summary>
    public static BuildDirectory Acquire(string folder, CancellationToken cancellationToken)
    {
        string target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        // Behind a link: a rename onto the link itself would put a folder in its place.
        target = new DirectoryInfo(target).LinkTarget is null
            ? target
            : Directory.ResolveLinkTarget(target, returnFinalTarget: true)!.FullName;
        string? parent = Path.GetDirectoryName(target);
        if (parent is null || File.Exists(target))
        {
            throw new ModelException(
                $"'{folder}' cannot be a model folder: it is {(parent is null ? "a root" : "a file")}. Name another folder."
            );
        }

        if (IsInUse(target))
        {
            throw new ModelException(
                $"'{folder}' cannot be a model folder: it is or holds the current directory, and would be replaced. Name a folder below it."
            );
        }

        Directory.CreateDirectory(parent);
        return new BuildDirectory(target, parent, WaitForLock(LockPath(parent, Path.GetFileName(target)), cancellationToken));
    }

    /// <summary>Removes what killed builds left in the same place, and creates the temporary folder.</summary>
    public void Begin()
    {
        string parent = Path.GetDirectoryName(Target)!;
        foreach (string stale in Directory.EnumerateDirectories(parent, TemporaryName("*")).ToArray())
        {
            if (!File.Exists(Path.Combine(stale, Marker)))
            {
                continue;
            }

            if (string.Equals(stale, Temporary, StringComparison.Ordinal))
            {
                Directory.Delete(stale, recursive: true);
                continue;
            }

            string name = Path.GetFileName(stale)[1..^".building".Length];
            try
            {
                using var held = LockFile.Take(LockPath(parent, name));
                Directory.Delete(stale, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another process builds it, or it is another user's: not ours to remove.
            }
        }

        if (Directory.Exists(Temporary) && Directory.EnumerateFileSystemEntries(Temporary).Any())
        {
            throw new ModelException(
                $"'{Temporary}' is in the way of the build and not of this program's making. Move it, or name another folder."
            );
        }

        Directory.CreateDirectory(Temporary);
        WriteMarker(Temporary);
        _isBegun = true;
    }

    /// <summary>Gives the temporary folder the target's name. What was there goes only when the new folder stands in its place.</summary>
    /// <param name="replacesOld">True where the target is an older folder of ours; else it must be empty.</param>
    public void Commit(bool replacesOld = false)
    {
        string old = Path.Combine(Path.GetDirectoryName(Target)!, TemporaryName($"{Path.GetFileName(Target)}.old"));
        if (replacesOld && Directory.Exists(Target))
        {
            WriteMarker(Target);
            Directory.Move(Target, old);
        }
        else if (Directory.Exists(Target))
        {
            // Not recursive: whatever came into the folder meanwhile stays, and the build fails.
            Directory.Delete(Target);
        }

        Directory.Move(Temporary, Target);
        File.Delete(Path.Combine(Target, Marker));
        if (Directory.Exists(old))
        {
            Directory.Delete(old, recursive: true);
        }
    }

    /// <summary>Deletes the temporary folder, if it is still there, and lets others in.</summary>
    public void Dispose()
    {
        try
        {
            if (_isBegun && Directory.Exists(Temporary))
            {
                Directory.Delete(Temporary, recursive: true);
            }
        }
        finally
        {
            _lock.Dispose();
        }
    }

    private static void WriteMarker(string folder) =>
        File.WriteAllText(
            Path.Combine(folder, Marker),
            "A build of Llama3Perf that is not finished. If none runs, this folder can be deleted.\n"
        );

    private static bool IsInUse(string target)
    {
        string current = Path.TrimEndingDirectorySeparator(Directory.GetCurrentDirectory());
        return Directory.Exists(target)
            && (current + Path.DirectorySeparatorChar).StartsWith(target + Path.DirectorySeparatorChar, StringComparison.Ordinal);
    }

    private static string TemporaryName(string name) => $".{name}.building";

    private static string LockPath(string parent, string name) => Path.Combine(parent, $".{name}.lock");

    private static LockFile WaitForLock(string path, CancellationToken cancellationToken)
    {
        for (int refusals = 0; ; )
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return LockFile.Take(path);
            }
            catch (IOException) when (File.Exists(path))
            {
                refusals = 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException && ++refusals < RefusalsWithoutLock)
            {
                // Asked again below.
            }

            cancellationToken.WaitHandle.WaitOne(s_poll);
        }
    }
}
