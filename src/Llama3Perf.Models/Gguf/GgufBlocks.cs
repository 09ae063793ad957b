using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Llama3Perf.Models.Gguf;

/// <summary>
/// Turns rows of <c>MatMulNBits</c> into GGUF's blocks of 32 without touching a stored value: nibbles and bytes are reordered, a scale is
/// rounded to float16, and stands in each of the blocks that a longer one is cut into.
/// </summary>
internal static class GgufBlocks
{
    private const int Elements = 32;
    private const int NibbleBytes = Elements / 2;

    /// <summary>4 bits, zero point 8: <see cref="GgufType.Q4"/>.</summary>
    /// <param name="packed">One row, [K / 2]; of two values the first is the low one.</param>
    /// <param name="scales">[K / block], already float16.</param>
    /// <param name="row">[K / 32 x 18].</param>
    public static void Q4Symmetric(ReadOnlySpan<byte> packed, ReadOnlySpan<Half> scales, Span<byte> row)
    {
        int blocks = packed.Length / NibbleBytes;
        int repeat = blocks / scales.Length;
        for (int i = 0; i < blocks; i++)
        {
            Span<byte> block = row.Slice(i * GgufType.Q4.BlockBytes, GgufType.Q4.BlockBytes);
            BinaryPrimitives.WriteHalfLittleEndian(block, scales[i / repeat]);
            Reorder(packed.Slice(i * NibbleBytes, NibbleBytes), block[2..]);
        }
    }

    /// <summary>4 bits with zero points: <see cref="GgufType.Q4Minimum"/>, whose minimum is -zero point x scale, rounded to
    /// float16.</summary>
    /// <param name="packed">As for <see cref="Q4Symmetric"/>.</param>
    /// <param name="scales">[K / block], already float16.</param>
    /// <param name="exact">The same scales as they are stored, which the minimum is made of.</param>
    /// <param name="zeroPoints">[ceil(K / block / 2)], a nibble each, the first low.</param>
    /// <param name="row">[K / 32 x 20].</param>
    public static void Q4Asymmetric(
        ReadOnlySpan<byte> packed,
        ReadOnlySpan<Half> scales,
        ReadOnlySpan<float> exact,
        ReadOnlySpan<byte> zeroPoints,
        Span<byte> row
    )
    {
        int blocks = packed.Length / NibbleBytes;
        int repeat = blocks / scales.Length;
        for (int i = 0; i < blocks; i++)
        {
            int source = i / repeat;
            int zeroPoint = (zeroPoints[source / 2] >> (source % 2 * 4)) & 0xF;
            Span<byte> block = row.Slice(i * GgufType.Q4Minimum.BlockBytes, GgufType.Q4Minimum.BlockBytes);
            BinaryPrimitives.WriteHalfLittleEndian(block, scales[source]);
            BinaryPrimitives.WriteHalfLittleEndian(block[2..], (Half)(-zeroPoint * exact[source]));
            Reorder(packed.Slice(i * NibbleBytes, NibbleBytes), block[4..]);
        }
    }

    /// <summary>8 bits, zero point 128: <see cref="GgufType.Q8"/>.</summary>
    /// <param name="packed">One row, [K].</param>
    /// <param name="scales">[K / block], already float16.</param>
    /// <param name="row">[K / 32 x 34].</param>
    public static void Q8Symmetric(ReadOnlySpan<byte> packed, ReadOnlySpan<Half> scales, Span<byte> row)
    {
        int blocks = packed.Length / Elements;
        int repeat = blocks / scales.Length;
        for (int i = 0; i < blocks; i++)
        {
            Span<byte> block = row.Slice(i * GgufType.Q8.BlockBytes, GgufType.Q8.BlockBytes);
            BinaryPrimitives.WriteHalfLittleEndian(block, scales[i / repeat]);

            // q - 128 as a signed byte is q with its highest bit turned.
            (Vector256.Create(packed.Slice(i * Elements, Elements)) ^ Vector256.Create((byte)0x80)).CopyTo(block[2..]);
        }
    }

    /// <summary>From the element 2j low and 2j + 1 high in byte j to j low and j + 16 high.</summary>
    private static void Reorder(ReadOnlySpan<byte> packed, Span<byte> nibbles)
    {
        // A byte of two nibbles, widened, is two bytes of one: its elements in their order.
        (Vector128<ushort> first, Vector128<ushort> last) = Vector128.Widen(Vector128.Create(packed));
        (Spread(first).AsByte() | (Spread(last) << 4).AsByte()).CopyTo(nibbles);
    }

    private static Vector128<ushort> Spread(Vector128<ushort> pairs) =>
        (pairs & Vector128.Create((ushort)0x000F)) | ((pairs & Vector128.Create((ushort)0x00F0)) << 4);
}
