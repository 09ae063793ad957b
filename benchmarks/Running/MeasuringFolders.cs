namespace Llama3Perf.Benchmarks.Running;

/// <summary>
/// The folders below the program's own in which BenchmarkDotNet builds the measuring process, up to hundreds of megabytes each. They
/// bear a name that is made once, and a lock file of that name that this process holds: what has no lock is what a killed one left.
/// </summary>
internal sealed class MeasuringFolders : IDisposable
{
    private const string Prefix = "L3P";

    private readonly FileStream _lock;

    public MeasuringFolders()
    {
        JobId = $"{Prefix}{Guid.NewGuid():N}";
        _lock = new FileStream(
            LockOf(JobId),
            FileMode.CreateNew,
            FileAccess.Write,
            FileShare.None,
            bufferSize: 1,
            FileOptions.DeleteOnClose
        );
    }

    /// <summary>BenchmarkDotNet's job, which its folders are named after.</summary>
    public string JobId { get; }

    /// <summary>Removes what killed processes left.</summary>
    public static void CleanUp()
    {
        foreach (string folder in Directory.GetDirectories(AppContext.BaseDirectory, $"*-{Prefix}*"))
        {
            string name = Path.GetFileName(folder);
            int start = name.LastIndexOf($"-{Prefix}", StringComparison.Ordinal) + 1;
            if (start + Prefix.Length + 32 > name.Length || !Guid.TryParseExact(name.AsSpan(start + Prefix.Length, 32), "N", out _))
            {
                continue;
            }

            try
            {
                using FileStream held = new(
                    LockOf(name.Substring(start, Prefix.Length + 32)),
                    FileMode.OpenOrCreate,
                    FileAccess.Write,
                    FileShare.None,
                    bufferSize: 1,
                    FileOptions.DeleteOnClose
                );
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another process measures in it, or it is another user's.
            }
        }
    }

    public void Dispose()
    {
        foreach (string folder in Directory.GetDirectories(AppContext.BaseDirectory, $"*-{JobId}*"))
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // The next start removes it.
            }
        }

        _lock.Dispose();
    }

    private static string LockOf(string jobId) => Path.Combine(AppContext.BaseDirectory, $".{jobId}.lock");
}
