namespace Llama3Perf.Models;

/// <summary>How a model folder stores the weights of its matrix products.</summary>
public enum Precision
{
    /// <summary>32-bit floating point weights and activations.</summary>
    Fp32,

    /// <summary>16-bit floating point weights and activations.</summary>
    Fp16,

    /// <summary>8-bit block-quantized weights (<c>MatMulNBits</c>, bits = 8).</summary>
    Int8,

    /// <summary>4-bit block-quantized weights (<c>MatMulNBits</c>, bits = 4).</summary>
    Int4,

    /// <summary>bfloat16 weights: a precision of external engines, and of no folder.</summary>
    Bf16,
}

/// <summary>The formats of models.</summary>
public enum ModelFormat
{
    /// <summary>A folder for ONNX Runtime and ONNX Runtime GenAI.</summary>
    Onnx,

    /// <summary>A GGUF file, for llama.cpp and what is made of it.</summary>
    Gguf,
}

/// <summary>The forms of a decoder's attention.</summary>
public enum GraphFamily
{
    /// <summary>CPU, CUDA and WebGPU: packed q, k, v with rotation inside <c>GroupQueryAttention</c>.</summary>
    Standard,

    /// <summary>DirectML: separate q, k, v, explicit <c>RotaryEmbedding</c> nodes and a <c>position_ids</c> input.</summary>
    DirectML,

    /// <summary>Attention over a KV cache that a <c>Concat</c> makes longer: past and present can never be the same buffer.</summary>
    Growing,
}

/// <summary>
/// The execution provider that a graph is written for. Decides family, activations and how the attention mask is read;
/// the CPU runs all of them, only slower.
/// </summary>
public enum GraphTarget
{
    /// <summary>CPU: float32 activations, inputs and outputs for fp32, int8 and int4; float16 for fp16.</summary>
    Cpu,

    /// <summary>CUDA: like the CPU's, with float16 activations, inputs and outputs (float32 for fp32).</summary>
    Cuda,

    /// <summary>WebGPU: like CUDA's; the length of the sequence is computed from the mask's values, so that no node runs on the
    /// CPU.</summary>
    WebGpu,

    /// <summary>DirectML: <see cref="GraphFamily.DirectML"/> with float16 activations, inputs and outputs (float32 for fp32).</summary>
    DirectML,
}
