using System.Globalization;
using System.Text.RegularExpressions;

namespace Llama3Perf.Inference.Machine;

/// <summary>Reads the text files in which Linux describes a machine.</summary>
internal static partial class LinuxParser
{
    /// <summary>A value in bytes of a list such as /proc/meminfo or /proc/self/status: <c>MemTotal:  24684092 kB</c>.</summary>
    public static long? Kilobytes(string text, string key)
    {
        string? value = Value(text, key, ':');
        return value?.EndsWith(" kB", StringComparison.Ordinal) == true && Bytes(value[..^3]) is { } kilobytes and < long.MaxValue / 1024
            ? kilobytes * 1024
            : null;
    }

    /// <summary>The first processor's name in /proc/cpuinfo. Most ARM kernels write none.</summary>
    public static string? CpuName(string cpuinfo) => Value(cpuinfo, "model name", ':');

    /// <summary>The system's full name in /etc/os-release.</summary>
    public static string? OsName(string osRelease) =>
        Value(osRelease, "PRETTY_NAME", '=')?.Trim('"', '\'') is { Length: > 0 } name ? name : null;

    /// <summary>The first value of a key in lines of key, separator and value; null where it is absent or empty.</summary>
    public static string? Value(string text, string key, char separator)
    {
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            int at = line.IndexOf(separator);
            if (at >= 0 && line[..at].Trim().SequenceEqual(key))
            {
                return line[(at + 1)..].Trim() is { IsEmpty: false } value ? value.ToString() : null;
            }
        }
        return null;
    }

    /// <summary>A count of bytes as sysfs and cgroups write it; null for <c>max</c> and all else that is no number.</summary>
    public static long? Bytes(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long bytes)
            ? bytes
            : null;

    /// <summary>An adapter of /sys/class/drm by its device's <c>uevent</c>: driver and PCI identifiers.</summary>
    public static (string? Driver, string? VendorId, string? DeviceId) Uevent(string text)
    {
        string[]? id = Value(text, "PCI_ID", '=')?.Split(':');
        bool isId = id is [{ Length: <= 4 }, { Length: <= 4 }] && id.All(part => part.Length > 0 && part.All(char.IsAsciiHexDigit));
        return (Value(text, "DRIVER", '='), isId ? PciId(id![0]) : null, isId ? PciId(id![1]) : null);
    }

    /// <summary>The kernel module's version and date in /proc/driver/nvidia/version. The date is NVIDIA's only where NVIDIA built the
    /// module; a module built by a distribution or on the machine has none.</summary>
    public static (string? Version, string? Date) NvidiaVersion(string text)
    {
        Match match = NvidiaModule().Match(text);
        if (!match.Success)
        {
            return (null, null);
        }

        string day = $"{match.Groups["day"].Value} {match.Groups["month"].Value} {match.Groups["year"].Value}";
        string? date = DateOnly.TryParseExact(day, "d MMM yyyy", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateOnly built)
            ? built.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
            : null;
        return (match.Groups["version"].Value, date);
    }

    /// <summary>The power source by the attributes of each supply in /sys/class/power_supply. A battery of a mouse or a pen does not
    /// count.</summary>
    public static string? PowerSource(IEnumerable<PowerSupply> supplies)
    {
        PowerSupply[] machine = [.. supplies.Where(supply => supply.Scope != "Device")];
        if (machine.Any(supply => supply is { Type: "Mains" or "USB", Online: "1" }))
        {
            return "ac";
        }

        return machine.Any(supply => supply is { Type: "Battery", Status: "Discharging" }) ? "battery" : null;
    }

    private static string PciId(string digits) => "0x" + digits.ToLowerInvariant().PadLeft(4, '0');

    [GeneratedRegex(
        @"^NVRM version: .*Kernel Module.*?\s(?<version>\d+\.\d+(\.\d+)?)\s+((Release Build\s+\(dvs-builder@[^)]*\)\s+)?"
            + @"[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2})\s+(?<day>\d{1,2}) [\d:]{8} \S+ (?<year>\d{4}))?",
        RegexOptions.Multiline | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex NvidiaModule();
}

/// <summary>Attributes of one supply in /sys/class/power_supply, null where the file is absent.</summary>
internal sealed record PowerSupply(string? Type, string? Scope, string? Online, string? Status);
