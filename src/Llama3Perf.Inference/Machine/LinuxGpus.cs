using System.Globalization;

namespace Llama3Perf.Inference.Machine;

/// <summary>Adapters of a Linux machine: NVIDIA's by their own tool where it is there, all others by /sys/class/drm.</summary>
internal sealed class LinuxGpus(LinuxFiles files)
{
    private const string Nvidia = "0x10de";

    /// <summary>All adapters, numbered: NVIDIA's as nvidia-smi numbers them, then the others.</summary>
    public IReadOnlyList<GpuInfo> All(string? nvidiaSmi)
    {
        (_, string? date) = NvidiaModule();
        IReadOnlyList<GpuInfo> told = NvidiaSmiParser.ParseGpus(nvidiaSmi);
        int next = told.Count == 0 ? 0 : told.Max(gpu => gpu.Index) + 1;
        IEnumerable<GpuInfo> others = Drm().Where(gpu => told.Count == 0 || gpu.VendorId != Nvidia);
        return [.. told.Select(gpu => gpu with { DriverDate = date }), .. others.Select((gpu, i) => gpu with { Index = next + i })];
    }

    // card0 is an adapter, card0-HDMI-A-1 one of its connectors.
    private IEnumerable<GpuInfo> Drm() =>
        files
            .Folders("sys/class/drm")
            .Select(card => (Path: card, Number: card[(card.LastIndexOf('/') + 1)..]))
            .Where(card =>
                card.Number.StartsWith("card", StringComparison.Ordinal)
                && int.TryParse(card.Number[4..], NumberStyles.None, CultureInfo.InvariantCulture, out _)
            )
            .OrderBy(card => int.Parse(card.Number[4..], CultureInfo.InvariantCulture))
            .Select(card => Adapter($"{card.Path}/device"));

    private GpuInfo Adapter(string device)
    {
        (string? driver, string? vendorId, string? deviceId) = LinuxParser.Uevent(files.Read($"{device}/uevent") ?? "");
        vendorId ??= files.Read($"{device}/vendor");
        deviceId ??= files.Read($"{device}/device");
        (string? version, string? date) = driver == "nvidia" ? NvidiaModule() : (ModuleVersion(driver), null);
        return new GpuInfo
        {
            Name =
                vendorId is null || deviceId is null
                    ? null
                    : MachineProbe.Ask(() =>
                        PciIds.Name(files.LinesOfFirst("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids"), vendorId, deviceId)
                    ),
            VendorId = vendorId,
            DeviceId = deviceId,
            MemoryBytes = LinuxParser.Bytes(files.Read($"{device}/mem_info_vram_total")),
            DriverVersion = version,
            DriverDate = date,
        };
    }

    // A module with no version of its own is part of the kernel and has the kernel's release.
    private string? ModuleVersion(string? driver) =>
        driver is null ? null : files.Read($"sys/module/{driver}/version") ?? files.Read("proc/sys/kernel/osrelease");

    private (string? Version, string? Date) NvidiaModule() => LinuxParser.NvidiaVersion(files.Read("proc/driver/nvidia/version") ?? "");
}
