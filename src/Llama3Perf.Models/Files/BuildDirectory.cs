namespace Llama3Perf.Models.Files;

/// <summary>
/// The place of one build: a lock file and a temporary folder beside the target, <c>.NAME.lock</c> and <c>.NAME.building</c>.
/// The folder takes the target's name when it is complete and is deleted when it is not. The lock belongs to the process,
/// so a temporary folder whose lock is free is what a killed process left; any later build in the same place removes it.
/// </summary>
internal sealed class BuildDirectory : IDisposable
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);

    // A lock file can vanish between the refusal and the question whether it is there; a folder without permission stays so.
    private const int RefusalsWithoutLock = 10;

    private readonly LockFile _lock;

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
        string? parent = Path.GetDirectoryName(target);
        if (parent is null || File.Exists(target))
        {
            throw new ModelException($"'{folder}' cannot be a model folder: it is {(parent is null ? "a root" : "a file")}. Name another folder.");
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

        Directory.CreateDirectory(Temporary);
    }

    /// <summary>Gives the temporary folder the target's name.</summary>
    public void Commit()
    {
        if (Directory.Exists(Target))
        {
            Directory.Delete(Target, recursive: true);
        }

        Directory.Move(Temporary, Target);
    }

    /// <summary>Deletes the temporary folder, if it is still there, and lets others in.</summary>
    public void Dispose()
    {
        try
        {
            if (Directory.Exists(Temporary))
            {
                Directory.Delete(Temporary, recursive: true);
            }
        }
        finally
        {
            _lock.Dispose();
        }
    }

    private static string TemporaryName(string name) => $".{name}.building";

    private static string LockPath(string parent, string name) => Path.Combine(parent, $".{name}.lock");

    private static LockFile WaitForLock(string path, CancellationToken cancellationToken)
    {
        for (int refusals = 0; ;)
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
