namespace Llama3Perf.Inference.Machine;

/// <summary>
/// The adapter that DirectML runs on when nobody names one: the one that Windows takes for high performance. It is chosen here, for all
/// engines, so that what the files name is what runs.
/// </summary>
public static class DirectMLAdapter
{
    private static readonly Lazy<(IReadOnlyList<GpuInfo> Adapters, GpuInfo? Default)> s_found = new(Find);

    /// <summary>The adapter; null where there is none, and on systems without DirectML.</summary>
    public static GpuInfo? Default => s_found.Value.Default;

    /// <summary>Why DirectML cannot run here; null when it can.</summary>
    internal static string? Problem() =>
        !OperatingSystem.IsWindows() ? "DirectML is a part of Windows"
        : s_found.Value.Adapters.Count == 0 ? "DirectML needs an adapter, and DXGI lists none"
        : null;

    /// <summary>Of DXGI's adapters the one with this LUID; else the first that is no software, else the first.</summary>
    /// <param name="adapters">In DXGI's order.</param>
    /// <param name="luid">Of the adapter that Windows prefers; null where it ranks none.</param>
    internal static GpuInfo? Choose(IReadOnlyList<GpuInfo> adapters, string? luid) =>
        adapters.FirstOrDefault(gpu => luid is not null && gpu.Luid == luid)
        ?? adapters.FirstOrDefault(gpu => !gpu.IsSoftware)
        ?? (adapters.Count > 0 ? adapters[0] : null);

    private static (IReadOnlyList<GpuInfo> Adapters, GpuInfo? Default) Find()
    {
        if (!OperatingSystem.IsWindows())
        {
            return ([], null);
        }

        IReadOnlyList<GpuInfo> adapters = MachineProbe.Ask(Dxgi.Adapters) ?? [];
        return (adapters, Choose(adapters, MachineProbe.Ask(Dxgi.HighPerformanceLuid)));
    }
}
