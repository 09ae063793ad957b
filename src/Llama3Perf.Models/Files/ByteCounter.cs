namespace Llama3Perf.Models.Files;

/// <summary>Adds up bytes from several threads and reports them in ascending order.</summary>
internal sealed class ByteCounter(long total, IProgress<BuildProgress>? progress)
{
    private readonly Lock _lock = new();
    private long _done;

    public void Add(long bytes)
    {
        if (progress is null)
        {
            return;
        }

        lock (_lock)
        {
            _done += bytes;
            progress.Report(new BuildProgress(_done, total));
        }
    }
}
