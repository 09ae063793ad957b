namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>How onnxruntime-genai speaks of an execution provider. The CPU has no row: it is what is left when no provider is
/// named.</summary>
/// <param name="Name">Name in its configuration, exactly so: another spelling is taken for an unknown provider.</param>
/// <param name="OnnxRuntimeName">Name in ONNX Runtime's list of compiled-in providers.</param>
/// <param name="DeviceOption">Provider option that takes the adapter's index; null when there is none.</param>
/// <param name="DeviceType">What the library answers when it is asked where a model runs.</param>
/// <param name="Rewinds">True when a generator may be taken for the next sequence too: where that was seen to give the same tokens. A new
/// one captures its graph anew, 5 to 15 ms on CUDA.</param>
internal sealed record GenAiProvider(string Name, string OnnxRuntimeName, string? DeviceOption, string DeviceType, bool Rewinds)
{
    /// <summary>The row of a provider; null for the CPU.</summary>
    public static GenAiProvider? Of(ExecutionProvider provider) =>
        provider switch
        {
            ExecutionProvider.Cpu => null,
            ExecutionProvider.Dml => new("DML", "DmlExecutionProvider", "device_index", "DirectML", false),
            ExecutionProvider.Cuda => new("cuda", "CUDAExecutionProvider", "device_id", "CUDA", true),
            ExecutionProvider.WebGpu => new("WebGPU", "WebGpuExecutionProvider", null, "WebGPU", false),
            _ => throw new EngineException(provider.ForeignDeviceReason() ?? $"genai has no provider '{provider}'"),
        };
}
