namespace Llama3Perf.Models.Folders;

/// <summary>What the numbers of a quantized KV cache stand for.</summary>
/// <param name="Keys">By layer, for each channel [KV heads x head size]: the largest key that is kept, always positive.</param>
/// <param name="Values">The same for values.</param>
public sealed record CacheScales(IReadOnlyList<float[]> Keys, IReadOnlyList<float[]> Values);
