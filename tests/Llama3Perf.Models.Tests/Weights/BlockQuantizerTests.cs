using CsCheck;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Tests.Weights;

public sealed class BlockQuantizerTests
{
    private static readonly Gen<float> s_value = Gen.Frequency(
        (20, Gen.Float[-4, 4]),
        (2, Gen.Float[-65504, 65504]),
        (2, Gen.Float[-1e-6f, 1e-6f]),
        (1, Gen.Float[-1e-41f, 1e-41f]),
        (2, Gen.Const(0f)),
        (1, Gen.Const(-0f)),
        (2, Gen.Int[-32, 31].Select(i => i / 4f))
    );

    private static readonly Gen<(int Bits, int Block, bool Symmetric, bool Half, float[] Row)> s_case =
        from bits in Gen.Bool.Select(isInt4 => isInt4 ? 4 : 8)
        from block in Gen.Int[4, 8].Select(power => 1 << power)
        from symmetric in Gen.Bool
        from half in Gen.Bool
        from blocks in Gen.Int[1, 5]
        from row in s_value.Array[block * blocks]
        select (bits, block, symmetric, half, half ? [.. row.Select(value => (float)(Half)value)] : row);

    /// <summary>Against the rule as it is written down, one number after the other.</summary>
    [Fact]
    public void Equals_the_plain_rule() =>
        s_case.Sample(
            test =>
            {
                (byte[] packed, float[] scales, byte[] zeroPoints) = Quantize(test.Bits, test.Block, test.Symmetric, test.Half, test.Row);
                for (int block = 0; block < scales.Length; block++)
                {
                    float[] values = test.Row[(block * test.Block)..((block + 1) * test.Block)];
                    (float scale, int zero, int[] stored) = Plain(test.Bits, test.Symmetric, test.Half, values);
                    Assert.Equal(BitConverter.SingleToInt32Bits(scale + 0f), BitConverter.SingleToInt32Bits(scales[block] + 0f));
                    Assert.Equal(zero, test.Symmetric ? 1 << (test.Bits - 1) : Value(zeroPoints, block, test.Bits));
                    Assert.Equal(stored, Enumerable.Range(block * test.Block, test.Block).Select(i => Value(packed, i, test.Bits)));
                }
            },
            iter: 3000
        );

    /// <summary>What a stored value stands for is never further away than half a step.</summary>
    [Fact]
    public void Is_off_by_half_a_step_at_most() =>
        s_case
            .Where(test => !test.Half)
            .Sample(
                test =>
                {
                    (byte[] packed, float[] scales, byte[] zeroPoints) = Quantize(
                        test.Bits,
                        test.Block,
                        test.Symmetric,
                        test.Half,
                        test.Row
                    );
                    for (int i = 0; i < test.Row.Length; i++)
                    {
                        int block = i / test.Block;
                        int zero = test.Symmetric ? 1 << (test.Bits - 1) : Value(zeroPoints, block, test.Bits);
                        double restored = (Value(packed, i, test.Bits) - zero) * (double)scales[block];

                        // The symmetric form has one step less on the side opposite to its largest value; the asymmetric one rounds its
                        // zero.
                        double step = Math.Abs(scales[block]) * (1 + 1e-5);
                        Assert.InRange(Math.Abs(test.Row[i] - restored), 0, step + 1e-37);
                    }
                },
                iter: 1000
            );

    [Fact]
    public void The_largest_magnitude_is_exact_in_the_symmetric_form()
    {
        float[] row = [.. Enumerable.Range(0, 32).Select(i => i == 5 ? -3f : i / 100f)];
        (byte[] packed, float[] scales, _) = Quantize(4, 32, symmetric: true, half: false, row);

        Assert.Equal(3f / 8, scales[0]);
        Assert.Equal(0, Value(packed, 5, 4));
        Assert.Equal(8, Value(packed, 0, 4));
    }

    [Fact]
    public void A_block_of_zeros_is_its_zero_point()
    {
        (byte[] packed, float[] scales, _) = Quantize(4, 16, symmetric: true, half: false, new float[16]);
        Assert.Equal(0f, scales[0]);
        Assert.All(packed, value => Assert.Equal(0x88, value));
        (packed, scales, byte[] zeroPoints) = Quantize(8, 16, symmetric: false, half: true, new float[16]);
        Assert.Equal((0f, 0), (scales[0], zeroPoints[0]));
        Assert.All(packed, value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(1e-41f)]
    [InlineData(-1e-41f)]
    public void A_scale_without_a_finite_inverse_makes_a_block_of_zeros(float value)
    {
        (byte[] packed, float[] scales, _) = Quantize(4, 16, symmetric: true, half: false, [.. Enumerable.Repeat(value, 16)]);

        Assert.NotEqual(0f, scales[0]);
        Assert.True(float.IsInfinity(1 / scales[0]));
        Assert.All(packed, pair => Assert.Equal(0x88, pair));
    }

    private static (byte[] Packed, float[] Scales, byte[] ZeroPoints) Quantize(int bits, int block, bool symmetric, bool half, float[] row)
    {
        // Buffers are used again, so what lies in them is no zero, and what lies behind them is not the quantizer's.
        const byte Before = 0xA5;
        int length = row.Length * bits / 8;
        byte[] packed = [.. Enumerable.Repeat(Before, length + 64)];
        float[] scales = new float[row.Length / block];
        byte[] zeroPoints = [.. Enumerable.Repeat(Before, symmetric ? 0 : ((scales.Length * bits) + 7) / 8)];
        new BlockQuantizer(bits, block, symmetric, half).Quantize(row, packed.AsSpan(0, length), scales, zeroPoints);
        Assert.All(packed[length..], value => Assert.Equal(Before, value));
        return (packed[..length], scales, zeroPoints);
    }

    private static (float Scale, int ZeroPoint, int[] Stored) Plain(int bits, bool symmetric, bool half, float[] values)
    {
        int highest = (1 << bits) - 1;
        int middle = 1 << (bits - 1);
        float min = values.Min(),
            max = values.Max();
        float scale = symmetric ? -(Math.Abs(max) > Math.Abs(min) ? max : min) / middle : (Math.Max(max, 0) - Math.Min(min, 0)) / highest;
        int zero =
            symmetric ? middle
            : scale == 0 ? 0
            : (int)MathF.Round(0 - (Math.Min(min, 0) / scale), MidpointRounding.AwayFromZero);
        scale = half ? (float)(Half)scale : scale;
        float inverse = scale != 0 && float.IsFinite(1 / scale) ? 1 / scale : 0;
        return (
            scale,
            zero,
            [.. values.Select(value => (int)Math.Clamp(MathF.Round((value * inverse) + zero, MidpointRounding.AwayFromZero), 0, highest))]
        );
    }

    private static int Value(byte[] packed, int index, int bits) => bits == 8 ? packed[index] : (packed[index / 2] >> (index % 2 * 4)) & 15;
}
