using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Running;

/// <summary>
/// What measuring leaves on the machine: the folders below the program's own in which BenchmarkDotNet builds the measuring process, up to
/// hundreds of megabytes each, and the processes that it starts, builds and other programs among them. All bear a name that is made once
/// (processes in their environment), and this process holds a lock file of that name: what has no lock is what a killed one left. The lock
/// lies beside the program, where every run of it looks, and among the temporary files where the program's folder cannot be written;
/// nothing is built there then.
/// </summary>
internal sealed class MeasuringTraces : IDisposable
{
    /// <summary>Environment variable that started processes bear the name in.</summary>
    public const string Variable = "LLAMA3PERF_MEASURING";

    private const string Prefix = "L3P";

    private readonly FileStream _lock;

    public MeasuringTraces()
    {
        JobId = $"{Prefix}{Guid.NewGuid():N}";
        try
        {
            _lock = Hold(AppContext.BaseDirectory, JobId, FileMode.CreateNew);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _lock = Hold(Path.GetTempPath(), JobId, FileMode.CreateNew);
        }
    }

    /// <summary>BenchmarkDotNet's job, which its folders are named after.</summary>
    public string JobId { get; }

    /// <summary>Ends and removes what killed processes left.</summary>
    public static void CleanUp()
    {
        CleanUp(AppContext.BaseDirectory, Folders(Prefix).Select(JobIdOf).OfType<string>());
        CleanUp(Path.GetTempPath(), []);
    }

    /// <summary>Ends the processes that measuring has started and that still run, where the system tells which they are.</summary>
    public void EndProcesses() => EndProcesses(JobId);

    public void Dispose()
    {
        Remove(JobId);
        _lock.Dispose();
    }

    private static void CleanUp(string folder, IEnumerable<string> others)
    {
        IEnumerable<string> locks = Directory
            .EnumerateFiles(folder, $".{Prefix}*.lock")
            .Select(file => Path.GetFileNameWithoutExtension(file)[1..]);
        foreach (string jobId in locks.Concat(others).Where(IsName).Distinct().ToArray())
        {
            try
            {
                using FileStream held = Hold(folder, jobId, FileMode.OpenOrCreate);
                Remove(jobId);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another process measures, or it was another user.
            }
        }
    }

    private static void Remove(string jobId)
    {
        EndProcesses(jobId);
        foreach (string folder in Folders(jobId))
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
    }

    // Where the system does not tell, a measuring process whose suite is gone ends with its next line, which nobody reads.
    private static void EndProcesses(string jobId) => MarkedProcesses.Kill(Variable, jobId);

    private static string[] Folders(string jobId) => Directory.GetDirectories(AppContext.BaseDirectory, $"*-{jobId}*");

    private static string? JobIdOf(string folder)
    {
        string name = Path.GetFileName(folder);
        int start = name.LastIndexOf($"-{Prefix}", StringComparison.Ordinal) + 1;
        return start + Prefix.Length + 32 <= name.Length ? name.Substring(start, Prefix.Length + 32) : null;
    }

    private static bool IsName(string jobId) => Guid.TryParseExact(jobId[Prefix.Length..], "N", out _);

    private static FileStream Hold(string folder, string jobId, FileMode mode) =>
        new(Path.Combine(folder, $".{jobId}.lock"), mode, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
}
