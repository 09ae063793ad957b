namespace Llama3Perf.Results.Files;

/// <summary>
/// Keeps what millions of samples take within twice what is held of them. Samples are made for one look and dropped, but live long enough
/// for the collector to think that they stay; left alone it lets them grow to several times what is kept.
/// </summary>
internal static class LargeRuns
{
    private const long Slack = 96 << 20;

    /// <summary>Collects when that much has come since everything was last collected.</summary>
    public static void GiveBack()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) > GC.GetGCMemoryInfo(GCKind.FullBlocking).HeapSizeBytes + Slack)
        {
            GC.Collect();
        }
    }
}
