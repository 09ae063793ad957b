using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Llama3Perf.Models.Weights;

/// <summary>
/// ONNX Runtime's rule for <c>MatMulNBits</c> (MLAS, <c>q4_dq.cpp</c>), whose values and scales it equals bit for bit. A block of
/// elements along K shares one scale. Symmetric: the element of the largest magnitude m becomes 0, scale = -m / 2^(bits-1), zero point
/// 2^(bits-1). Asymmetric: scale = (max - min) / (2^bits - 1) with 0 inside the range, zero point = round(-min / scale).
/// Stored value = clamp(round(v x (1 / scale) + zero point)), halves away from zero.
/// </summary>
/// <param name="bits">4 or 8.</param>
/// <param name="blockSize">16, 32, 64, 128 or 256.</param>
/// <param name="symmetric">Without stored zero points.</param>
/// <param name="halfScales">Scales are rounded to float16 before values are divided by them.</param>
public sealed class BlockQuantizer(int bits, int blockSize, bool symmetric, bool halfScales)
{
    private readonly float _halfRange = 1 << (bits - 1);
    private readonly float _highest = (1 << bits) - 1;

    /// <summary>Quantizes one row of finite values.</summary>
    /// <param name="row">[K], a multiple of the block size.</param>
    /// <param name="packed">[K x bits / 8]; of two 4-bit values the first is the low one.</param>
    /// <param name="scales">[K / block].</param>
    /// <param name="zeroPoints">[ceil(K / block x bits / 8)]; empty for the symmetric form.</param>
    public void Quantize(ReadOnlySpan<float> row, Span<byte> packed, Span<float> scales, Span<byte> zeroPoints)
    {
        zeroPoints.Clear();
        int packedBlock = blockSize * bits / 8;
        for (int block = 0; block < scales.Length; block++)
        {
            ReadOnlySpan<float> values = row.Slice(block * blockSize, blockSize);
            (float scale, int zeroPoint) = symmetric ? Symmetric(values) : Asymmetric(values);
            scales[block] = scale;
            if (!symmetric)
            {
                zeroPoints[block * bits / 8] |= (byte)(bits == 4 && block % 2 == 1 ? zeroPoint << 4 : zeroPoint);
            }

            // A scale so small that its inverse is infinite belongs to a block of zeros in all but name.
            float inverse = scale == 0 || !float.IsFinite(1 / scale) ? 0 : 1 / scale;
            Span<byte> destination = packed.Slice(block * packedBlock, packedBlock);
            if (bits == 4)
            {
                Pack4(values, inverse, zeroPoint, destination);
            }
            else
            {
                Pack8(values, inverse, zeroPoint, destination);
            }
        }
    }

    private (float Scale, int ZeroPoint) Symmetric(ReadOnlySpan<float> values)
    {
        (float min, float max) = Range(values);
        float largest = Math.Abs(max) > Math.Abs(min) ? max : min;
        return (Rounded(-largest / _halfRange), (int)_halfRange);
    }

    private (float Scale, int ZeroPoint) Asymmetric(ReadOnlySpan<float> values)
    {
        (float min, float max) = Range(values);
        min = Math.Min(min, 0);
        max = Math.Max(max, 0);
        float scale = (max - min) / _highest;

        // From the scale before it is rounded, as ONNX Runtime does.
        float zeroPoint = scale == 0 ? min : 0 - (min / scale);
        return (Rounded(scale), (int)MathF.Round(Math.Clamp(zeroPoint, 0, _highest), MidpointRounding.AwayFromZero));
    }

    private float Rounded(float scale) => halfScales ? (float)(Half)scale : scale;

    private static (float Min, float Max) Range(ReadOnlySpan<float> values)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        Vector256<float> min = Vector256.LoadUnsafe(ref start);
        Vector256<float> max = min;
        for (int i = Vector256<float>.Count; i < values.Length; i += Vector256<float>.Count)
        {
            var next = Vector256.LoadUnsafe(ref start, (nuint)i);
            min = Vector256.MinNative(min, next);
            max = Vector256.MaxNative(max, next);
        }

        return (Lowest(min), -Lowest(-max));
    }

    private static float Lowest(Vector256<float> vector)
    {
        var four = Vector128.MinNative(vector.GetLower(), vector.GetUpper());
        var two = Vector128.MinNative(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MinNative(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
    }

    private void Pack4(ReadOnlySpan<float> values, float inverse, float zeroPoint, Span<byte> destination)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        ref byte packed = ref MemoryMarshal.GetReference(destination);
        for (int i = 0; i < values.Length; i += 2 * Vector256<int>.Count)
        {
            Vector256<ulong> low = Nibbles(Stored(ref start, i, inverse, zeroPoint));
            Vector256<ulong> high = Nibbles(Stored(ref start, i + Vector256<int>.Count, inverse, zeroPoint));
            var shorts = Vector256.Narrow(Vector256.Narrow(low, high), Vector256<uint>.Zero).GetLower();
            Vector128.Narrow(shorts, Vector128<ushort>.Zero).GetLower().StoreUnsafe(ref packed, (nuint)(i / 2));
        }
    }

    private void Pack8(ReadOnlySpan<float> values, float inverse, float zeroPoint, Span<byte> destination)
    {
        ref float start = ref MemoryMarshal.GetReference(values);
        ref byte packed = ref MemoryMarshal.GetReference(destination);
        for (int i = 0; i < values.Length; i += 2 * Vector256<int>.Count)
        {
            Vector256<uint> low = Stored(ref start, i, inverse, zeroPoint).AsUInt32();
            Vector256<uint> high = Stored(ref start, i + Vector256<int>.Count, inverse, zeroPoint).AsUInt32();
            Vector256<ushort> shorts = Vector256.Narrow(low, high);
            Vector128.Narrow(shorts.GetLower(), shorts.GetUpper()).StoreUnsafe(ref packed, (nuint)i);
        }
    }

    /// <summary>Each pair of values in the low byte of its 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Nibbles(Vector256<int> values)
    {
        Vector256<ulong> pairs = values.AsUInt64();
        return (pairs | (pairs >> 28)) & Vector256.Create(0xFFUL);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<int> Stored(ref float start, int index, float inverse, float zeroPoint)
    {
        // Clamped first: the bounds are whole, so that rounding cannot cross them, and truncation is the floor.
        Vector256<float> scaled = (Vector256.LoadUnsafe(ref start, (nuint)index) * inverse) + Vector256.Create(zeroPoint);
        scaled = Vector256.MinNative(Vector256.MaxNative(scaled, Vector256<float>.Zero), Vector256.Create(_highest));
        Vector256<int> whole = Vector256.ConvertToInt32Native(scaled);
        Vector256<float> rest = scaled - Vector256.ConvertToSingle(whole);

        // A comparison's true is -1 in every lane.
        return whole - Vector256.GreaterThanOrEqual(rest, Vector256.Create(0.5f)).AsInt32();
    }
}
