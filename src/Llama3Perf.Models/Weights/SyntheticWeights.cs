using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Llama3Perf.Models.Weights;

/// <summary>
/// Fills memory with random weights: eight xorshift64 generators (Marsaglia 2003, shifts 13, 7, 17) side by side, 64 bytes a step.
/// The bytes are the same on every machine; only the speed depends on its vector width.
/// </summary>
public static class SyntheticWeights
{
    /// <summary>Bytes that one seed fills. A tensor is cut into chunks of this size, so that any thread can fill any of them.</summary>
    public const int ChunkBytes = 4 << 20;

    private const ulong Golden = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Fills one chunk.</summary>
    /// <param name="destination">Any length; the first bytes are the same whatever it is.</param>
    /// <param name="pattern">What the bits are to mean.</param>
    /// <param name="seed">Usually from <see cref="ChunkSeed"/>.</param>
    public static void Fill(Span<byte> destination, WeightPattern pattern, ulong seed)
    {
        Vector512<ulong> state = Seeded(seed);
        Vector512<ulong> mask = Vector512.Create(pattern.Mask);
        Vector512<ulong> offset = Vector512.Create(pattern.Offset);
        ref byte start = ref MemoryMarshal.GetReference(destination);
        int whole = destination.Length & ~(Vector512<byte>.Count - 1);
        for (int i = 0; i < whole; i += Vector512<byte>.Count)
        {
            state = Next(state);
            Shape(state, mask, offset, pattern.Zero).AsByte().StoreUnsafe(ref start, (nuint)i);
        }

        if (whole < destination.Length)
        {
            Span<byte> last = stackalloc byte[Vector512<byte>.Count];
            Shape(Next(state), mask, offset, pattern.Zero).AsByte().CopyTo(last);
            last[..(destination.Length - whole)].CopyTo(destination[whole..]);
        }
    }

    /// <summary>The seed of one chunk of one tensor: depends on nothing else, so neither on threads nor on the other tensors.</summary>
    public static ulong ChunkSeed(ulong seed, string tensor, int chunk)
    {
        ulong hash = Mix(seed + Golden);
        foreach (char c in tensor)
        {
            hash = Mix(hash ^ c);
        }

        return Mix(hash + ((ulong)chunk * Golden));
    }

    private static Vector512<ulong> Seeded(ulong seed)
    {
        Span<ulong> lanes = stackalloc ulong[Vector512<ulong>.Count];
        for (int i = 0; i < lanes.Length; i++)
        {
            // Zero is the one state that xorshift never leaves.
            lanes[i] = Math.Max(1, Mix(seed + ((ulong)(i + 1) * Golden)));
        }

        return Vector512.Create<ulong>(lanes);
    }

    // The finalizer of splitmix64 (Steele, Lea, Flood 2014).
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58_476D_1CE4_E5B9;
        x = (x ^ (x >> 27)) * 0x94D0_49BB_1331_11EB;
        return x ^ (x >> 31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Next(Vector512<ulong> x)
    {
        x ^= x << 13;
        x ^= x >> 7;
        return x ^ (x << 17);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Shape(
        Vector512<ulong> bits,
        Vector512<ulong> mask,
        Vector512<ulong> offset,
        WeightPattern.ZeroRule zero
    )
    {
        Vector512<ulong> x = (bits & mask) + offset;
        if (zero == WeightPattern.ZeroRule.Nibble)
        {
            Vector512<ulong> any = x | (x >> 1);
            any |= any >> 2;
            return x | (Vector512.AndNot(Vector512.Create(0x1111_1111_1111_1111UL), any) << 3);
        }

        if (zero == WeightPattern.ZeroRule.Byte)
        {
            Vector512<byte> empty = Vector512.Equals(x.AsByte(), Vector512<byte>.Zero);
            return x | (empty & Vector512.Create((byte)0x80)).AsUInt64();
        }

        return x;
    }
}
