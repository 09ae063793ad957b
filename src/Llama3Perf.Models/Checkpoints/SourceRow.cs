using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Turns values of a checkpoint into numbers that can be stored: float32, or float32 that float16 holds exactly.</summary>
public static class SourceRow
{
    /// <summary>Halfway between float16's largest number and the next one that it would have: from here on it rounds to infinity.</summary>
    private const float FirstOverflow = 65520;

    private const uint Infinity = 0x7F80_0000;

    /// <summary>Reads values as float32, without loss.</summary>
    /// <param name="source">Little-endian values.</param>
    /// <param name="type">Their type.</param>
    /// <param name="row">As many float32.</param>
    public static void Widen(ReadOnlySpan<byte> source, CheckpointType type, Span<float> row)
    {
        switch (type)
        {
            case CheckpointType.BFloat16:
                WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), row);
                break;
            case CheckpointType.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), row);
                break;
            default:
                MemoryMarshal.Cast<byte, float>(source).CopyTo(row);
                break;
        }
    }

    /// <summary>Makes values storable: counts and replaces those that are not finite, and for float16 those beyond its range; rounds to
    /// float16.</summary>
    /// <param name="row">Values, changed in place.</param>
    /// <param name="half">Memory of the same length for float16, or empty when float32 is stored.</param>
    /// <param name="tensor">Whose values they are.</param>
    /// <param name="counts">Where unusual values are counted.</param>
    internal static void MakeStorable(Span<float> row, Span<Half> half, string tensor, ConversionCounts counts)
    {
        uint limit = half.IsEmpty ? Infinity : BitConverter.SingleToUInt32Bits(FirstOverflow);
        if (LargestMagnitude(row) >= limit)
        {
            Replace(row, limit, tensor, counts);
        }

        if (!half.IsEmpty)
        {
            TensorPrimitives.ConvertToHalf(row, half);
            TensorPrimitives.ConvertToSingle(half, row);
        }
    }

    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<float> row)
    {
        ref ushort from = ref MemoryMarshal.GetReference(source);
        ref uint to = ref MemoryMarshal.GetReference(MemoryMarshal.Cast<float, uint>(row));
        int i = 0;
        for (; i <= source.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
        {
            (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(Vector256.LoadUnsafe(ref from, (nuint)i));
            (low << 16).StoreUnsafe(ref to, (nuint)i);
            (high << 16).StoreUnsafe(ref to, (nuint)(i + Vector256<uint>.Count));
        }

        for (; i < source.Length; i++)
        {
            row[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    /// <summary>Bits of the largest magnitude: ordered like the numbers, infinity and then NaN above all.</summary>
    private static uint LargestMagnitude(ReadOnlySpan<float> row)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(row);
        ref uint start = ref MemoryMarshal.GetReference(bits);
        Vector256<uint> sign = Vector256.Create(0x7FFF_FFFFu);
        Vector256<uint> largest = Vector256<uint>.Zero;
        int i = 0;
        for (; i <= bits.Length - Vector256<uint>.Count; i += Vector256<uint>.Count)
        {
            largest = Vector256.Max(largest, Vector256.LoadUnsafe(ref start, (nuint)i) & sign);
        }

        uint result = 0;
        for (int lane = 0; lane < Vector256<uint>.Count; lane++)
        {
            result = Math.Max(result, largest[lane]);
        }

        for (; i < bits.Length; i++)
        {
            result = Math.Max(result, bits[i] & 0x7FFF_FFFF);
        }

        return result;
    }

    private static void Replace(Span<float> row, uint limit, string tensor, ConversionCounts counts)
    {
        float largest = limit == Infinity ? float.MaxValue : (float)Half.MaxValue;
        for (int i = 0; i < row.Length; i++)
        {
            float value = row[i];
            if (float.IsNaN(value))
            {
                counts.AddNaN(tensor);
                row[i] = 0;
            }
            else if (float.IsInfinity(value))
            {
                counts.AddInfinity(tensor);
                row[i] = MathF.CopySign(largest, value);
            }
            else if ((BitConverter.SingleToUInt32Bits(value) & 0x7FFF_FFFF) >= limit)
            {
                counts.AddOverflow(tensor);
                row[i] = MathF.CopySign(largest, value);
            }
        }
    }
}
