namespace Llama3Perf.Models.Building;

/// <summary>
/// The place of one build: a lock file and a temporary folder beside the target, <c>.NAME.lock</c> and <c>.NAME.building</c>.
/// The folder takes the target's name when it is complete and is deleted when it is not. The lock belongs to the process,
/// so a temporary folder whose lock is free is what a killed process left; any later build in the same place removes it.
/// </summary>
internal sealed class BuildDirectory : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _lock;

    private BuildDirectory(string target, string parent, FileStream held)
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
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryLock(parent, Path.GetFileName(target)) is { } held)
            {
                return new BuildDirectory(target, parent, held);
            }

            cancellationToken.WaitHandle.WaitOne(Poll);
        }
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
            using FileStream? held = TryLock(parent, name);
            if (held is not null)
            {
                Directory.Delete(stale, recursive: true);
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

    private static FileStream? TryLock(string parent, string name)
    {
        string path = Path.Combine(parent, $".{name}.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
        catch (IOException) when (File.Exists(path))
        {
            return null;
        }
    }
}
