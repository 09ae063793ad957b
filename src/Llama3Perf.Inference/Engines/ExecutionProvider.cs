namespace Llama3Perf.Inference.Engines;

/// <summary>ONNX Runtime's execution providers that the suite can place a model on.</summary>
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
}
