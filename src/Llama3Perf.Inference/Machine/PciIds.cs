namespace Llama3Perf.Inference.Machine;

/// <summary>Names out of pci.ids: vendors at the line's start, their devices below after one tab.</summary>
internal static class PciIds
{
    /// <summary>Vendor and device as one name, such as <c>Intel Corporation Arrow Lake-P [Intel Graphics]</c>; null where the list has no
    /// such device.</summary>
    public static string? Name(IEnumerable<string> lines, string vendorId, string deviceId)
    {
        string? vendor = null;
        foreach (string line in lines)
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }

            if (line[0] != '\t')
            {
                if (vendor is not null)
                {
                    return null;
                }

                vendor = After(line, vendorId);
            }
            else if (vendor is not null && After(line[1..], deviceId) is { } device)
            {
                return $"{vendor} {device}";
            }
        }
        return null;
    }

    // Four digits and two spaces come before every name.
    private static string? After(string line, string id) =>
        line.Length > 6
        && line.AsSpan(4, 2).SequenceEqual("  ")
        && id is ['0', 'x', .. string digits]
        && line.AsSpan(0, 4).Equals(digits, StringComparison.OrdinalIgnoreCase)
            ? line[6..].Trim()
            : null;
}
