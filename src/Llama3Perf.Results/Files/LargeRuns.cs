namespace Llama3Perf.Results.Files;

/// <summary>
/// Keeps what millions of samples take near what is held of them. Samples are made for one look and dropped, but live long enough for the
/// collector to think that they stay; left alone it let a comparison grow to twice as much (ScaleTests has the command).
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
