using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Machine;

/// <summary>Reads what macOS' tools print.</summary>
internal static partial class MacOSParser
{
    private static readonly string[] s_softwareKeys = ["ProductName", "ProductVersion", "BuildVersion"];

    /// <summary>Adapters of <c>system_profiler SPDisplaysDataType -json</c>. Apple's own have no PCI identifiers and no memory of their
    /// own, and their drivers have the system's version.</summary>
    public static IReadOnlyList<GpuInfo> Gpus(string? json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json ?? "");
            return
                document.RootElement is { ValueKind: JsonValueKind.Object } root
                && root.TryGetProperty("SPDisplaysDataType", out JsonElement adapters)
                && adapters.ValueKind == JsonValueKind.Array
                ?
                [
                    .. adapters
                        .EnumerateArray()
                        .Where(adapter => adapter.ValueKind == JsonValueKind.Object)
                        .Select((adapter, index) => Gpu(index, adapter)),
                ]
                : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    /// <summary>The source and mode of <c>pmset -g batt</c> and <c>pmset -g</c>.</summary>
    public static string? PowerSource(string? battery, string? settings)
    {
        string? source =
            battery?.Contains("'AC Power'", StringComparison.Ordinal) == true ? "ac"
            : battery?.Contains("'Battery Power'", StringComparison.Ordinal) == true ? "battery"
            : null;
        string? plan =
            settings is not null && LowPowerMode().Match(settings) is { Success: true } match
                ? match.Groups["on"].Value == "1"
                    ? "plan low power"
                    : "plan normal"
                : null;
        return source is null || plan is null ? source ?? plan : $"{source}; {plan}";
    }

    /// <summary>The identifier in the output of <c>ioreg -rd1 -c IOPlatformExpertDevice</c>.</summary>
    public static string? PlatformId(string? text) =>
        text is not null && PlatformUuid().Match(text) is { Success: true } match ? match.Groups["id"].Value : null;

    /// <summary>Bytes that <c>vm_stat</c> counts as free, inactive, speculative or purgeable.</summary>
    public static long? AvailableBytes(string? text)
    {
        if (text is null || !PageSize().Match(text).Groups["size"].TryParse(out long size))
        {
            return null;
        }

        long pages = 0;
        foreach (Match match in FreePages().Matches(text))
        {
            pages += match.Groups["count"].TryParse(out long count) ? count : 0;
        }

        return pages > 0 ? pages * size : null;
    }

    /// <summary>Product and build of <c>sw_vers</c>, such as <c>macOS 15.5 24F74</c>.</summary>
    public static string? OsBuild(string? text)
    {
        string[] parts = [.. s_softwareKeys.Select(key => LinuxParser.Value(text ?? "", key, ':')).OfType<string>()];
        return parts.Length == 0 ? null : string.Join(' ', parts);
    }

    private static GpuInfo Gpu(int index, JsonElement adapter) =>
        new()
        {
            Index = index,
            Name = Text(adapter, "sppci_model"),
            VendorId =
                Text(adapter, "spdisplays_vendor") is { } vendor && VendorCode().Match(vendor) is { Success: true } match
                    ? match.Value.ToLowerInvariant()
                    : null,
            DeviceId = Text(adapter, "spdisplays_device-id")?.ToLowerInvariant(),
            MemoryBytes = Memory(Text(adapter, "spdisplays_vram")),
        };

    private static string? Text(JsonElement adapter, string name)
    {
        try
        {
            return
                adapter.TryGetProperty(name, out JsonElement value)
                && value.ValueKind == JsonValueKind.String
                && value.GetString() is { Length: > 0 } text
                ? text
                : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which JSON allows and text does not.
            return null;
        }
    }

    // "8 GB" or "1536 MB"; spdisplays_vram_shared, the memory that an adapter borrows, is another key.
    private static long? Memory(string? text) =>
        text?.Split(' ') switch
        {
            [string number, "GB"] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count) => (long)count
                << 30,
            [string number, "MB"] when int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int count) => (long)count
                << 20,
            _ => null,
        };

    private static bool TryParse(this Group group, out long value) =>
        long.TryParse(group.Value, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    [GeneratedRegex(@"0x[0-9a-fA-F]{4}\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex VendorCode();

    [GeneratedRegex(@"^\s*lowpowermode\s+(?<on>[01])\s*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex LowPowerMode();

    [GeneratedRegex("\"IOPlatformUUID\" = \"(?<id>[0-9A-Fa-f-]{36})\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PlatformUuid();

    [GeneratedRegex(@"page size of (?<size>[0-9]{1,7}) bytes", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PageSize();

    [GeneratedRegex(
        @"^Pages (free|inactive|speculative|purgeable):\s+(?<count>[0-9]{1,10})\.",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex FreePages();
}
