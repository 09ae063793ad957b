namespace Llama3Perf.Inference.Machine;

/// <summary>Asks NVIDIA's own tool.</summary>
internal static class NvidiaSmi
{
    /// <summary>Rows for <see cref="NvidiaSmiParser.ParseGpus"/>, or null where the tool or its driver is missing.</summary>
    public static string? Gpus() => Query("--query-gpu=index,name,pci.device_id,memory.total,driver_version,pci.bus_id");

    /// <summary>Rows for <see cref="NvidiaSmiParser.ParseProcessBytes"/>, or null where the tool or its driver is missing.</summary>
    public static string? Processes() => Query("--query-compute-apps=pid,used_gpu_memory");

    private static string? Query(string what) => SystemCommand.Output("nvidia-smi", what, "--format=csv,noheader,nounits");
}
