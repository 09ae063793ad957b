using System.Globalization;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Machine;

/// <summary>The adapter that a user names by its index or by a part of its name.</summary>
public static class DeviceSelector
{
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

    private static bool Fits(GpuInfo gpu, string wanted) =>
        int.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? gpu.Index == index
            : wanted.Length > 0 && gpu.Name?.Contains(wanted, StringComparison.OrdinalIgnoreCase) == true;
}
