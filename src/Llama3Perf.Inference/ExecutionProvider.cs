using Llama3Perf.Models;

namespace Llama3Perf.Inference;

/// <summary>Where a model runs: ONNX Runtime's execution providers, and the devices of other frameworks.</summary>
public enum ExecutionProvider
{
    /// <summary>CPU.</summary>
    Cpu,

    /// <summary>DirectML, on Windows.</summary>
    Dml,

    /// <summary>NVIDIA CUDA.</summary>
    Cuda,

    /// <summary>WebGPU.</summary>
    WebGpu,

    /// <summary>Intel GPUs, as PyTorch calls them.</summary>
    Xpu,

    /// <summary>Metal, as PyTorch calls it.</summary>
    Mps,

    /// <summary>Vulkan, of llama.cpp.</summary>
    Vulkan,

    /// <summary>Metal, of llama.cpp.</summary>
    Metal,

    /// <summary>Neural processing units, of OpenVINO.</summary>
    Npu,

    /// <summary>The provider of <see cref="ProviderLibrary.Current"/>.</summary>
    Plugin,
}

/// <summary>Execution providers in the words of model folders.</summary>
public static class ProviderTargets
{
    /// <summary>The provider as graphs are written for it; the CPU's for devices of other frameworks, which read no graph.</summary>
    public static GraphTarget Target(this ExecutionProvider provider) =>
        provider switch
        {
            ExecutionProvider.Dml => GraphTarget.DirectML,
            ExecutionProvider.Cuda => GraphTarget.Cuda,
            ExecutionProvider.WebGpu => GraphTarget.WebGpu,
            ExecutionProvider.Plugin => ProviderLibrary.Current?.Target ?? GraphTarget.Cpu,
            _ => GraphTarget.Cpu,
        };

    /// <summary>The provider's name on the command line and in results.</summary>
    public static string ShownName(this ExecutionProvider provider) =>
        provider == ExecutionProvider.Plugin && ProviderLibrary.Current is { } library ? library.Name : provider.Name();
}

/// <summary>What ONNX Runtime knows nothing of.</summary>
internal static class ForeignDevices
{
    /// <summary>Why ONNX Runtime cannot run there in any of its packages; null when it is one of its execution providers.</summary>
    public static string? ForeignDeviceReason(this ExecutionProvider provider) =>
        provider switch
        {
            ExecutionProvider.Xpu or ExecutionProvider.Mps =>
                $"ONNX Runtime has no provider '{provider.Name()}': it is a device of PyTorch, for external engines",
            ExecutionProvider.Npu => $"ONNX Runtime has no provider '{provider.Name()}': it is a device of OpenVINO, for external:openvino",
            ExecutionProvider.Vulkan or ExecutionProvider.Metal =>
                $"ONNX Runtime has no provider '{provider.Name()}': it is a backend of llama.cpp",
            _ => null,
        };
}
