namespace Llama3Perf.Models.Weights;

/// <summary>Fills one chunk of a tensor.</summary>
/// <param name="destination">The chunk's bytes.</param>
/// <param name="firstByte">Where the chunk starts in the tensor.</param>
internal delegate void ChunkFill(Span<byte> destination, long firstByte);

/// <summary>The work of tensors whose bytes can be computed anywhere: cut into chunks of 4 MB.</summary>
internal static class Chunks
{
    /// <summary>Random values: a function of the seed, the tensor's name and the place in the tensor.</summary>
    public static IEnumerable<Piece> Random(ExternalTensor tensor, WeightPattern pattern, ulong seed) =>
        Of(
            tensor,
            (destination, firstByte) =>
                SyntheticWeights.Fill(
                    destination,
                    pattern,
                    SyntheticWeights.ChunkSeed(seed, tensor.Name, (int)(firstByte / SyntheticWeights.ChunkBytes))
                )
        );

    public static IEnumerable<Piece> Of(ExternalTensor tensor, ChunkFill fill)
    {
        for (long start = 0; start < tensor.Length; start += SyntheticWeights.ChunkBytes)
        {
            long firstByte = start;
            int length = (int)Math.Min(SyntheticWeights.ChunkBytes, tensor.Length - start);
            yield return writer =>
            {
                Span<byte> bytes = writer.Memory<byte>(0, length);
                fill(bytes, firstByte);
                writer.Write<byte>(bytes, tensor, firstByte);
            };
        }
    }
}
