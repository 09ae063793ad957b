using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Weights;

/// <summary>One piece of a build's work: makes some bytes of the data file and writes them. Any thread may do any piece, in any
/// order.</summary>
internal delegate void Piece(PieceWriter writer);

/// <summary>What one thread needs for its pieces: memory that is used again, and the file.</summary>
internal sealed class PieceWriter(SafeFileHandle file, Action<long> onBytes)
{
    private readonly byte[][] _memory =
    [
        [],
        [],
        [],
        [],
    ];

    /// <summary>Memory for the time of a piece; its contents are whatever the last piece left.</summary>
    /// <param name="slot">0 to 3; each has its own memory.</param>
    /// <param name="length">Elements.</param>
    public Span<T> Memory<T>(int slot, int length)
        where T : unmanaged
    {
        int bytes = checked(length * Unsafe.SizeOf<T>());
        if (_memory[slot].Length < bytes)
        {
            _memory[slot] = GC.AllocateUninitializedArray<byte>(bytes);
        }

        return MemoryMarshal.Cast<byte, T>(_memory[slot].AsSpan(0, bytes));
    }

    /// <summary>Writes values into the place of a tensor.</summary>
    public void Write<T>(ReadOnlySpan<T> values, ExternalTensor tensor, long firstByte)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(values);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstByte + bytes.Length, tensor.Length, nameof(firstByte));
        RandomAccess.Write(file, bytes, tensor.Offset + firstByte);
        onBytes(bytes.Length);
    }
}
