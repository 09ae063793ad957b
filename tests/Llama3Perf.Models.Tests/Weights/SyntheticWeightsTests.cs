using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CsCheck;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Tests.Weights;

public sealed class SyntheticWeightsTests
{
    [Fact]
    public void Bytes_are_the_same_on_every_machine()
    {
        byte[] bytes = Filled(100_003, WeightPattern.Int4, SyntheticWeights.ChunkSeed(1, "lm_head.MatMul.weight_Q4", 3));

        Assert.Equal("ec5de4da77952c25", Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]);
    }

    [Fact]
    public void Bytes_are_those_of_a_plain_implementation() =>
        Gen.Select(Gen.ULong, Gen.Int[0, 300], Gen.Int[0, 5])
            .Sample(
                (seed, length, kind) =>
                {
                    WeightPattern pattern = kind switch
                    {
                        0 => WeightPattern.Int4,
                        1 => WeightPattern.Int8,
                        2 => WeightPattern.Signed(0.02, half: false),
                        3 => WeightPattern.Signed(0.02, half: true),
                        4 => WeightPattern.Scale(0.003, half: true),
                        _ => WeightPattern.ZeroPoint4,
                    };
                    Assert.Equal(Plain(length, pattern, seed), Filled(length, pattern, seed));
                }
            );

    [Fact]
    public void Tensors_chunks_and_seeds_differ()
    {
        ulong[] seeds =
        [
            SyntheticWeights.ChunkSeed(1, "a", 0),
            SyntheticWeights.ChunkSeed(1, "a", 1),
            SyntheticWeights.ChunkSeed(1, "b", 0),
            SyntheticWeights.ChunkSeed(2, "a", 0),
            SyntheticWeights.ChunkSeed(1, "ab", 0),
            SyntheticWeights.ChunkSeed(1, "ba", 0),
        ];

        Assert.Equal(seeds.Length, seeds.Distinct().Count());
    }

    [Fact]
    public void Int4_has_every_value_but_0_and_the_mean_8()
    {
        int[] values = [.. Filled(1 << 20, WeightPattern.Int4, 5).SelectMany(b => (int[])[b & 15, b >> 4])];

        Assert.Equal(Enumerable.Range(1, 15), values.Distinct().Order());
        Assert.Equal(8, values.Average(), 0.02);
        Assert.Equal(2.0 / 16, values.Count(v => v == 8) / (double)values.Length, 0.002);
    }

    [Fact]
    public void Int8_has_every_value_but_0_and_the_mean_128()
    {
        byte[] values = Filled(1 << 20, WeightPattern.Int8, 5);

        Assert.Equal(255, values.Distinct().Count());
        Assert.DoesNotContain((byte)0, values);
        Assert.Equal(128, values.Average(v => v), 0.5);
    }

    [Theory]
    [InlineData(0.02)]
    [InlineData(0.03125)]
    [InlineData(0.0084)]
    public void Floats_have_both_signs_one_octave_and_the_asked_size(double rms)
    {
        float[] single = MemoryMarshal.Cast<byte, float>(Filled(1 << 20, WeightPattern.Signed(rms, half: false), 5)).ToArray();
        float[] half =
        [
            .. MemoryMarshal.Cast<byte, Half>(Filled(1 << 20, WeightPattern.Signed(rms, half: true), 5)).ToArray().Select(h => (float)h),
        ];

        foreach (float[] values in (float[][])[single, half])
        {
            Assert.All(values, value => Assert.InRange(Math.Abs(value), rms / 1.54, rms * 1.32));
            Assert.Equal(0, values.Average(), rms * 0.01);
            Assert.Equal(rms, Math.Sqrt(values.Average(v => (double)v * v)), rms * 0.08);
        }
    }

    [Theory]
    [InlineData(0.0036, false)]
    [InlineData(0.0036, true)]
    [InlineData(0.00012, true)]
    public void Scales_lie_around_their_center(double center, bool half)
    {
        byte[] bytes = Filled(1 << 16, WeightPattern.Scale(center, half), 5);
        float[] values = half
            ? [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(h => (float)h)]
            : MemoryMarshal.Cast<byte, float>(bytes).ToArray();

        Assert.All(values, value => Assert.InRange(value, center * 0.799, center * 1.201));
        Assert.True(values.Distinct().Count() > 300);
    }

    [Fact]
    public void Norms_and_zero_points_stay_near_1_and_the_middle()
    {
        Assert.All(
            MemoryMarshal.Cast<byte, float>(Filled(4096, WeightPattern.Norm(half: false), 1)).ToArray(),
            v => Assert.InRange(v, 1f, 1.25f)
        );
        Assert.All(
            MemoryMarshal.Cast<byte, Half>(Filled(4096, WeightPattern.Norm(half: true), 1)).ToArray(),
            v => Assert.InRange((float)v, 1f, 1.25f)
        );
        Assert.Equal((byte[])[0x77, 0x79, 0x97, 0x99], Filled(4096, WeightPattern.ZeroPoint4, 1).Distinct().Order());
        Assert.Equal((byte[])[127, 129], Filled(4096, WeightPattern.ZeroPoint8, 1).Distinct().Order());
    }

    private static byte[] Filled(int length, WeightPattern pattern, ulong seed)
    {
        byte[] bytes = new byte[length];
        SyntheticWeights.Fill(bytes, pattern, seed);
        return bytes;
    }

    /// <summary>The definition, one generator and one lane at a time.</summary>
    private static byte[] Plain(int length, WeightPattern pattern, ulong seed)
    {
        ulong[] states = [.. Enumerable.Range(1, 8).Select(i => Math.Max(1, SplitMix(seed + ((ulong)i * 0x9E3779B97F4A7C15))))];
        List<byte> bytes = [];
        while (bytes.Count < length)
        {
            for (int lane = 0; lane < states.Length; lane++)
            {
                ulong x = states[lane];
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                states[lane] = x;
                bytes.AddRange(BitConverter.GetBytes((x & pattern.Mask) + pattern.Offset).Select(b => Replaced(b, pattern.Zero)));
            }
        }

        return [.. bytes.Take(length)];
    }

    private static byte Replaced(byte value, WeightPattern.ZeroRule rule) =>
        rule switch
        {
            WeightPattern.ZeroRule.Nibble => (byte)(
                ((value & 0x0F) == 0 ? 0x08 : value & 0x0F) | ((value & 0xF0) == 0 ? 0x80 : value & 0xF0)
            ),
            WeightPattern.ZeroRule.Byte => value == 0 ? (byte)128 : value,
            _ => value,
        };

    private static ulong SplitMix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
