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
}

/// <summary>What ONNX Runtime knows nothing of.</summary>
internal static class ForeignDevices
{
    /// <summary>Why ONNX Runtime cannot run there in any of its packages; null when it is one of its execution providers.</summary>
    public static string? ForeignDeviceReason(this ExecutionProvider provider) => provider is ExecutionProvider.Xpu or ExecutionProvider.Mps
        ? $"ONNX Runtime has no provider '{provider.Name()}': it is a device of PyTorch, for external engines"
        : null;
}
