using System.Globalization;
using System.Text.RegularExpressions;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Machine;

/// <summary>The adapter that a user names by its index or by a part of its name.</summary>
public static partial class DeviceSelector
{
    // What one list writes and another leaves out.
    private static readonly string[] s_noise = ["nvidia", "intel", "amd", "ati", "apple", "corporation", "inc", "r", "tm", "igpu", "dgpu"];

    /// <summary>The one adapter that fits. A whole number is an index; anything else is a part of the name, in any letter case.</summary>
    /// <exception cref="EngineException">No adapter fits, or more than one.</exception>
    public static GpuInfo Select(IReadOnlyList<GpuInfo> gpus, string device)
    {
        string wanted = device.Trim();
        GpuInfo[] found = [.. gpus.Where(gpu => Fits(gpu, wanted))];
        if (found.Length == 1)
        {
            return found[0];
        }

        string problem = found.Length == 0 ? "fits no adapter" : "fits more than one adapter";
        string list =
            gpus.Count == 0 ? "this machine shows none" : string.Join(", ", gpus.Select(gpu => $"{gpu.Index} {gpu.Name ?? "(no name)"}"));
        throw new EngineException($"device '{wanted.OneLine()}' {problem}; give an index or a part of one name: {list}");
    }

    /// <summary>Whether two names can be one adapter's: a driver, the PCI list and a framework write it each in their way
    /// (<c>AD102 [GeForce RTX 4090]</c>, <c>NVIDIA GeForce RTX 4090</c>), with the same words at their heart.</summary>
    public static bool AreOne(string a, string b)
    {
        HashSet<string> left = Words(a);
        HashSet<string> right = Words(b);
        return left.IsSubsetOf(right) || right.IsSubsetOf(left);
    }

    private static HashSet<string> Words(string name) =>
        [.. Word().Matches(name.ToLowerInvariant()).Select(match => match.Value).Where(word => !s_noise.Contains(word))];

    [GeneratedRegex("[a-z0-9]+", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Word();

    private static bool Fits(GpuInfo gpu, string wanted) =>
        int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? gpu.Index == index
            : wanted.Length > 0 && gpu.Name?.Contains(wanted, StringComparison.OrdinalIgnoreCase) == true;
}
