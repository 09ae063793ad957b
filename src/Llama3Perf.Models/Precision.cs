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
}

/// <summary>The two graph forms that execution providers understand.</summary>
public enum GraphFamily
{
    /// <summary>CPU, CUDA and WebGPU: packed q, k, v with rotation inside <c>GroupQueryAttention</c>.</summary>
    Standard,

    /// <summary>DirectML: separate q, k, v, explicit <c>RotaryEmbedding</c> nodes and a <c>position_ids</c> input.</summary>
    DirectML,
}
