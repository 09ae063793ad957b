namespace Llama3Perf.Models;

/// <summary>How keys and values are stored.</summary>
public enum KeyValueType
{
    /// <summary>float16: llama.cpp's own choice, and that of graphs with float16 activations.</summary>
    F16,

    /// <summary>float32: that of graphs with float32 activations, as the CPU's are.</summary>
    F32,

    /// <summary>8 bits and scales: one for each channel of a layer in ONNX graphs, one for each 32 numbers in llama.cpp (Q8_0).</summary>
    Int8,

    /// <summary>4 bits and scales, as with 8 (Q4_0).</summary>
    Int4,
}
