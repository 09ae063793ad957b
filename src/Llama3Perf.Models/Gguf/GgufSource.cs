using System.Buffers.Binary;
using System.Text;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Gguf;

/// <summary>The bytes of a GGUF file in their order; nothing is read, and no memory taken, beyond what is there.</summary>
internal sealed class GgufSource(string path, FileStream stream)
{
    public const uint String = 8;
    public const uint Array = 9;

    private readonly byte[] _small = new byte[sizeof(ulong)];

    public string Path => path;

    public long Length { get; } = stream.Length;

    public long Position => stream.Position;

    private long Left => Length - stream.Position;

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(sizeof(ulong)));

    /// <summary>A text of at most so many bytes.</summary>
    public string Text(int most, string what)
    {
        long length = TextLength(what);
        if (length > most)
        {
            throw Damaged($"{what} has {length} bytes, more than {most}");
        }

        byte[] bytes = new byte[length];
        stream.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Passes over a text.</summary>
    public void SkipText(string what)
    {
        long length = TextLength(what);
        stream.Position += length;
    }

    /// <summary>Passes over an array.</summary>
    public void Skip(ulong count, int size)
    {
        Fits(count, size, "elements of an array");
        stream.Position += (long)count * size;
    }

    /// <summary>Refuses a count of things that need more bytes than are left.</summary>
    public void Fits(ulong count, int bytesOfOne, string what)
    {
        if (count > (ulong)(Left / bytesOfOne))
        {
            throw Damaged($"it names {count} {what}, and {Left} bytes are left");
        }
    }

    /// <summary>A single value; numbers as <see cref="long"/>, <see cref="ulong"/> or <see cref="double"/>.</summary>
    public object Value(uint type, string key) =>
        type switch
        {
            0 => (ulong)Bytes(1)[0],
            1 => (long)(sbyte)Bytes(1)[0],
            2 => (ulong)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)),
            3 => (long)BinaryPrimitives.ReadInt16LittleEndian(Bytes(2)),
            4 => (ulong)UInt32(),
            5 => (long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)),
            6 => (double)BinaryPrimitives.ReadSingleLittleEndian(Bytes(4)),
            7 => Bytes(1)[0] != 0,
            String => Text(int.MaxValue, $"the text of '{Shown.Text(key)}'"),
            10 => UInt64(),
            11 => BinaryPrimitives.ReadInt64LittleEndian(Bytes(8)),
            12 => BinaryPrimitives.ReadDoubleLittleEndian(Bytes(8)),
            _ => throw Damaged($"'{Shown.Text(key)}' is of type {type}"),
        };

    /// <summary>Bytes of an element of an array; null for types that no array holds.</summary>
    public static int? Size(uint type) =>
        type switch
        {
            0 or 1 or 7 => 1,
            2 or 3 => 2,
            4 or 5 or 6 => 4,
            10 or 11 or 12 => 8,
            _ => null,
        };

    public ModelException Damaged(string problem) => new($"{path} is damaged: {problem}. Download or convert it again.");

    private long TextLength(string what)
    {
        ulong length = UInt64();
        return length <= (ulong)Left ? (long)length : throw Damaged($"{what} would have {length} bytes, and {Left} are left");
    }

    private ReadOnlySpan<byte> Bytes(int count)
    {
        if (count > Left)
        {
            throw new ModelException($"{path} is truncated: its header does not end in {Length} bytes. Download or convert it again.");
        }

        stream.ReadExactly(_small, 0, count);
        return _small.AsSpan(0, count);
    }
}
