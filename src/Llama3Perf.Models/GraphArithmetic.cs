namespace Llama3Perf.Models;

/// <summary>What a graph computes with: two graphs of the same weights agree as closely as these let them.</summary>
/// <param name="Activations"><c>fp32</c>, <c>fp16</c> or <c>bf16</c>.</param>
/// <param name="RoundsActivations">
/// True when products ask for activations of 8 bits (<c>accuracy_level</c> 4 of MatMulNBits, or weights behind DequantizeLinear, of which
/// ONNX Runtime makes such products): the CPU and WebGPU then round them, other providers do not.
/// </param>
/// <param name="CacheBits">Bits of a key or value where they are stored as integers; null where they are not.</param>
public sealed record GraphArithmetic(string Activations, bool RoundsActivations, int? CacheBits = null);
