using System.Globalization;

namespace Llama3Perf.Inference.Machine;

/// <summary>Reads what nvidia-smi prints with <c>--format=csv,noheader,nounits</c>.</summary>
internal static class NvidiaSmiParser
{
    /// <summary>Rows of <c>index,name,pci.device_id,memory.total,driver_version,pci.bus_id</c>, the last one optional; memory in MiB. Lines
    /// of another form are passed over.</summary>
    public static IReadOnlyList<GpuInfo> ParseGpus(string? text) => [.. Rows(text, 5, 6).Select(Gpu).OfType<GpuInfo>()];

    /// <summary>Rows of <c>pid,used_gpu_memory</c>: the sum over all adapters for one process, null where no row is its own.</summary>
    public static long? ParseProcessBytes(string? text, int processId)
    {
        long? sum = null;
        foreach (string[] fields in Rows(text, 2, 2))
        {
            if (fields[0] == processId.ToString(CultureInfo.InvariantCulture) && Mebibytes(fields[1]) is { } bytes)
            {
                sum = (sum ?? 0) + bytes;
            }
        }
        return sum;
    }

    private static GpuInfo? Gpu(string[] fields)
    {
        if (!int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            return null;
        }
        // The device comes before the vendor: 0x233510DE.
        string id = fields[2].StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? fields[2][2..] : "";
        bool isId = id.Length == 8 && id.All(char.IsAsciiHexDigit);
        return new GpuInfo
        {
            Index = index,
            Name = Known(fields[1]),
            VendorId = isId ? "0x" + id[4..].ToLowerInvariant() : null,
            DeviceId = isId ? "0x" + id[..4].ToLowerInvariant() : null,
            MemoryBytes = Mebibytes(fields[3]),
            DriverVersion = Known(fields[4]),
            PciBusId = fields.Length > 5 ? Known(fields[5]) : null,
        };
    }

    private static IEnumerable<string[]> Rows(string? text, int fewest, int most) =>
        (text ?? "")
            .Split('\n')
            .Select(line => line.Split(',', StringSplitOptions.TrimEntries))
            .Where(row => row.Length >= fewest && row.Length <= most);

    // [N/A], [Not Supported], [Unknown Error]
    private static string? Known(string field) => field.Length == 0 || field[0] == '[' ? null : field;

    private static long? Mebibytes(string field) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out int mebibytes) ? (long)mebibytes << 20 : null;
}
