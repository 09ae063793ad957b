using System.Globalization;
using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Machine;

/// <summary>Reads what Windows' interfaces, registry and tools give.</summary>
internal static partial class WindowsParser
{
    private const uint SoftwareFlag = 2;

    /// <summary>An adapter of DXGI's description. Memory is the adapter's own, which of an adapter without any is 0.</summary>
    public static GpuInfo Adapter(int index, in AdapterDescription description)
    {
        ReadOnlySpan<char> name = description.Name;
        int end = name.IndexOf('\0');
        name = (end < 0 ? name : name[..end]).Trim();
        return new GpuInfo
        {
            Index = index,
            Name = name.IsEmpty ? null : name.ToString(),
            VendorId = $"0x{description.VendorId:x4}",
            DeviceId = $"0x{description.DeviceId:x4}",
            MemoryBytes = (long)description.DedicatedVideoMemory,
            Luid = $"0x{(uint)description.LuidHigh:x8}{description.LuidLow:x8}",
            IsSoftware = (description.Flags & SoftwareFlag) != 0,
        };
    }

    /// <summary>The adapters with the drivers that the registry lists for their vendor and device. Drivers that differ for the same vendor
    /// and device leave both unknown: the registry does not say which is whose.</summary>
    public static IReadOnlyList<GpuInfo> WithDrivers(IEnumerable<GpuInfo> gpus, IReadOnlyList<DisplayDriver> drivers) =>
        [
            .. gpus.Select(gpu =>
                drivers.Where(driver => Fits(driver, gpu)).Select(driver => driver with { MatchingDeviceId = null }).Distinct().ToArray()
                    is [DisplayDriver driver]
                    ? gpu with
                    {
                        DriverVersion = driver.Version,
                        DriverDate = Date(driver.Date),
                    }
                    : gpu
            ),
        ];

    /// <summary>The registry writes dates as month-day-year: <c>3-26-2026</c>.</summary>
    public static string? Date(string? text) =>
        DateOnly.TryParseExact(text, "M-d-yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly date)
            ? date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            : null;

    /// <summary>The product with its build, such as <c>Windows 11 Pro 24H2 10.0.26100.4061</c>.</summary>
    public static string? OsBuild(string? productName, string? displayVersion, string? build, int? revision)
    {
        if (!int.TryParse(build, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return productName;
        }
        // Windows 11 kept the registry's product name of Windows 10; its builds begin at 22000.
        if (number >= 22000)
        {
            productName = productName?.Replace("Windows 10", "Windows 11", StringComparison.Ordinal);
        }

        string version = revision is null ? $"10.0.{number}" : $"10.0.{number}.{revision}";
        return string.Join(' ', new[] { productName, displayVersion, version }.Where(part => !string.IsNullOrWhiteSpace(part)));
    }

    /// <summary>The plan's name in the output of <c>powercfg /getactivescheme</c>, whatever the system's language: it is in the last
    /// parentheses, after the identifier.</summary>
    public static string? PowerPlan(string? text) =>
        text is not null && ActiveScheme().Match(text) is { Success: true } match ? match.Groups["name"].Value.Trim() : null;

    /// <summary>SYSTEM_POWER_STATUS's ACLineStatus: 0 battery, 1 mains, 255 unknown.</summary>
    public static string? PowerSource(byte lineStatus) =>
        lineStatus switch
        {
            0 => "battery",
            1 => "ac",
            _ => null,
        };

    // MatchingDeviceId is pci\ven_8086&dev_7d55 and may go on with &subsys_ and &rev_.
    private static bool Fits(DisplayDriver driver, GpuInfo gpu) =>
        gpu is { VendorId: ['0', 'x', .. string vendor], DeviceId: ['0', 'x', .. string device] }
        && driver.MatchingDeviceId?.Contains($"ven_{vendor}&dev_{device}", StringComparison.OrdinalIgnoreCase) == true;

    [GeneratedRegex(
        @"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\s+\((?<name>[^\r\n]*\S[^\r\n]*)\)\s*\*?\s*$",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex ActiveScheme();
}

/// <summary>Values of one subkey of the registry's class of display adapters.</summary>
internal sealed record DisplayDriver(string? MatchingDeviceId, string? Version, string? Date);
