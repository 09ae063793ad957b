using CsCheck;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Models.Tests.Gguf;

/// <summary>Blocks hold the values of the row that they were made of, read as llama.cpp reads them.</summary>
public sealed class GgufBlocksTests
{
    private static readonly Gen<(byte[] Packed, Half[] Scales, byte[] Zeros, int Block)> s_rows =
        from block in Gen.Int[0, 3].Select(power => 32 << power)
        from blocks in Gen.Int[1, 5]
        from packed in Gen.Byte.Array[block * blocks]
        from scales in Gen.Float[-4, 4].Select(value => (Half)value).Array[blocks]
        from zeros in Gen.Byte.Array[(blocks + 1) / 2]
        select (packed, scales, zeros, block);

    [Fact]
    public void Four_bits_keep_every_value() =>
        s_rows.Sample(row =>
        {
            byte[] packed = row.Packed[..(row.Packed.Length / 2)];
            byte[] blocks = new byte[GgufType.Q4.Bytes(packed.Length * 2)];
            GgufBlocks.Q4Symmetric(packed, row.Scales, blocks);
            for (int i = 0; i < packed.Length * 2; i++)
            {
                float expected = (Nibble(packed, i) - 8) * (float)row.Scales[i / row.Block];
                ReadOnlySpan<byte> block = blocks.AsSpan(i / 32 * 18, 18);
                Assert.Equal(expected, (Stored(block[2..], i) - 8) * (float)BitConverter.ToHalf(block));
            }
        });

    [Fact]
    public void Four_bits_with_zero_points_keep_their_minimum_within_its_rounding() =>
        s_rows.Sample(row =>
        {
            byte[] packed = row.Packed[..(row.Packed.Length / 2)];
            byte[] blocks = new byte[GgufType.Q4Minimum.Bytes(packed.Length * 2)];
            GgufBlocks.Q4Asymmetric(packed, row.Scales, [.. row.Scales.Select(scale => (float)scale)], row.Zeros, blocks);
            for (int i = 0; i < packed.Length * 2; i++)
            {
                int source = i / row.Block;
                float scale = (float)row.Scales[source];
                int zero = (row.Zeros[source / 2] >> (source % 2 * 4)) & 0xF;
                ReadOnlySpan<byte> block = blocks.AsSpan(i / 32 * 20, 20);
                float value = (Stored(block[4..], i) * (float)BitConverter.ToHalf(block)) + (float)BitConverter.ToHalf(block[2..]);
                Assert.Equal((Nibble(packed, i) - zero) * scale, value, Math.Abs(zero * scale) / 1024 + 1e-6);
            }
        });

    [Fact]
    public void Eight_bits_keep_every_value() =>
        s_rows.Sample(row =>
        {
            byte[] blocks = new byte[GgufType.Q8.Bytes(row.Packed.Length)];
            GgufBlocks.Q8Symmetric(row.Packed, row.Scales, blocks);
            for (int i = 0; i < row.Packed.Length; i++)
            {
                ReadOnlySpan<byte> block = blocks.AsSpan(i / 32 * 34, 34);
                Assert.Equal(
                    (row.Packed[i] - 128) * (float)row.Scales[i / row.Block],
                    (sbyte)block[2 + (i % 32)] * (float)BitConverter.ToHalf(block)
                );
            }
        });

    private static int Nibble(byte[] packed, int i) => (packed[i / 2] >> (i % 2 * 4)) & 0xF;

    private static int Stored(ReadOnlySpan<byte> nibbles, int i) => (nibbles[i % 16] >> (i % 32 / 16 * 4)) & 0xF;
}
