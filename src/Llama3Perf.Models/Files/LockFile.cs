namespace Llama3Perf.Models.Files;

/// <summary>
/// A lock that belongs to a process: a file that it alone has open, and that is gone when the lock is. Outside Windows a file can be
/// removed by its holder while another process has just opened it; that one then holds a lock that nobody else sees, so it asks again.
/// </summary>
internal sealed class LockFile : IDisposable
{
    private const int LongestMark = 1 << 20;

    private readonly FileStream _file;

    private LockFile(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <exception cref="IOException">Another process holds it, or the one that held it removes it at this moment.</exception>
    public static LockFile Take(string path)
    {
        FileStream file = new(
            path,
            FileMode.OpenOrCreate,
            FileAccess.Write,
            FileShare.None,
            bufferSize: 1,
            OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None
        );
        if (OperatingSystem.IsWindows() || IsAt(path, file))
        {
            return new LockFile(file);
        }

        file.Dispose();
        throw new IOException($"{path} was removed while it was taken");
    }

    /// <summary>Removes the file and lets others in.</summary>
    public void Dispose()
    {
        if (!OperatingSystem.IsWindows())
        {
            // Before others can take it: what is removed later might be theirs.
            File.Delete(_file.Name);
        }

        _file.Dispose();
    }

    // The length serves as a mark: it can be asked for without opening the file, which the lock forbids.
    private static bool IsAt(string path, FileStream file)
    {
        int mark = Random.Shared.Next(1, LongestMark);
        file.SetLength(mark);
        FileInfo found = new(path);
        return found.Exists && found.Length == mark;
    }
}
