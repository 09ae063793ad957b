using System.Runtime.InteropServices;

namespace Llama3Perf.Models.Weights;

/// <summary>
/// How random bits become weights: <c>(bits &amp; mask) + offset</c> on every lane, then zero lanes replaced where the pattern says so.
/// One rule for all types, because a float's bit pattern grows with its value: adding random low bits to the pattern of m
/// gives values from m upwards, evenly spread within each octave.
/// </summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct WeightPattern
{
    internal enum ZeroRule
    {
        Keep,

        /// <summary>A nibble of 0 becomes 8.</summary>
        Nibble,

        /// <summary>A byte of 0 becomes 128.</summary>
        Byte,
    }

    // Root mean square of a uniform value in [1, 2).
    private const double OctaveRms = 1.5275252316519468;

    private WeightPattern(ulong mask, ulong offset, ZeroRule zero = ZeroRule.Keep) => (Mask, Offset, Zero) = (mask, offset, zero);

    internal ulong Mask { get; }

    internal ulong Offset { get; }

    internal ZeroRule Zero { get; }

    /// <summary>
    /// Two 4-bit weights a byte, 1 to 15 around the zero point 8. Without 0, which would stand alone against 15 others,
    /// the mean is the zero point; with it every sum is off and greedy decoding collapses to one token.
    /// </summary>
    public static WeightPattern Int4 { get; } = new(ulong.MaxValue, 0, ZeroRule.Nibble);

    /// <summary>One 8-bit weight a byte, 1 to 255 around the zero point 128.</summary>
    public static WeightPattern Int8 { get; } = new(ulong.MaxValue, 0, ZeroRule.Byte);

    /// <summary>Two 4-bit zero points a byte, 7 or 9.</summary>
    internal static WeightPattern ZeroPoint4 { get; } = new(0x2222_2222_2222_2222, 0x7777_7777_7777_7777);

    /// <summary>8-bit zero points, 127 or 129.</summary>
    internal static WeightPattern ZeroPoint8 { get; } = new(0x0202_0202_0202_0202, 0x7F7F_7F7F_7F7F_7F7F);

    /// <summary>Both signs, magnitudes within one octave, of the given root mean square.</summary>
    /// <param name="rms">Above 0; as float16 at least 2^-13, so that the smallest magnitude is a normal number.</param>
    /// <param name="half">float16 instead of float32.</param>
    public static WeightPattern Signed(double rms, bool half) =>
        half ? Half(0x83FF, (Half)(rms / OctaveRms)) : Single(0x807F_FFFF, (float)(rms / OctaveRms));

    /// <summary>As <see cref="Signed"/>, in bfloat16.</summary>
    /// <param name="rms">Above 0.</param>
    public static WeightPattern SignedBFloat16(double rms) => BFloat16(0x807F, (float)(rms / OctaveRms));

    /// <summary>Quantization scales from 0.8 to at most 1.2 times <paramref name="center"/>: half an octave of bit patterns.</summary>
    internal static WeightPattern Scale(double center, bool half) =>
        half ? Half(0x01FF, (Half)(0.8 * center)) : Single(0x003F_FFFF, (float)(0.8 * center));

    /// <summary>Weights of a norm, from 1 to 1.25.</summary>
    internal static WeightPattern Norm(bool half) => half ? Half(0x00FF, System.Half.One) : Single(0x001F_FFFF, 1f);

    /// <summary>As <see cref="Norm"/>, in bfloat16.</summary>
    internal static WeightPattern NormBFloat16 { get; } = BFloat16(0x001F, 1f);

    private static WeightPattern Single(uint mask, float offset) => new(Twice(mask), Twice(BitConverter.SingleToUInt32Bits(offset)));

    private static WeightPattern Half(ushort mask, Half offset) =>
        new(Twice(Twice(mask)), Twice(Twice(BitConverter.HalfToUInt16Bits(offset))));

    // The upper half of a float32; what is cut off is less than the spread of the random bits.
    private static WeightPattern BFloat16(ushort mask, float offset) =>
        new(Twice(Twice(mask)), Twice(Twice((ushort)(BitConverter.SingleToUInt32Bits(offset) >> 16))));

    private static uint Twice(ushort lane) => ((uint)lane << 16) | lane;

    private static ulong Twice(uint lane) => ((ulong)lane << 32) | lane;
}
