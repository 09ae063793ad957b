using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>Token ids of one piece.</summary>
internal sealed class PieceEncoder
{
    private const int Missing = -1;

    // A text repeats its words; these many of at most this length are remembered while it is encoded.
    private const int MostKnown = 10_000;
    private const int LongestKnown = 32;

    private readonly BytePairMerger _merger;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>>? _whole;
    private readonly int _longest;
    private readonly int[] _byteIds = new int[256];
    private readonly int? _unknown;
    private readonly bool _fuse;

    public PieceEncoder(TokenizerFile file)
    {
        _merger = new BytePairMerger(file.Merges);
        if (file.IgnoreMerges)
        {
            _whole = new Dictionary<string, int>(file.Vocabulary, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
            _longest = file.Vocabulary.Keys.Select(token => token.Length).DefaultIfEmpty().Max();
        }

        _unknown = file.UnknownId;
        _fuse = file.FuseUnknown;
        for (int value = 0; value < _byteIds.Length; value++)
        {
            _byteIds[value] = file.Vocabulary.TryGetValue(ByteLevel.Alphabet[value].ToString(), out int id) ? id : Missing;
        }
    }

    /// <summary>Appends a piece's ids. What <paramref name="known"/> holds are pieces of the same text and their ids.</summary>
    public void Encode(ReadOnlySpan<char> piece, Dictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> known, List<int> ids)
    {
        if (piece.Length > LongestKnown)
        {
            Encode(piece, ids);
        }
        else if (known.TryGetValue(piece, out int[]? before))
        {
            ids.AddRange(before.AsSpan());
        }
        else
        {
            int start = ids.Count;
            Encode(piece, ids);
            if (known.Dictionary.Count < MostKnown)
            {
                known[piece] = [.. CollectionsMarshal.AsSpan(ids)[start..]];
            }
        }
    }

    private void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        ReadOnlySpan<byte> bytes = rented.AsSpan(0, Encoding.UTF8.GetBytes(piece, rented));
        if (Whole(bytes) is { } id)
        {
            ids.Add(id);
        }
        else
        {
            Merge(bytes, ids);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    private int? Whole(ReadOnlySpan<byte> bytes)
    {
        if (_whole is not { } whole || bytes.Length > _longest)
        {
            return null;
        }

        Span<char> characters = bytes.Length <= 256 ? stackalloc char[256] : new char[bytes.Length];
        ByteLevel.Write(bytes, characters);
        return whole.TryGetValue(characters[..bytes.Length], out int id) ? id : null;
    }

    private void Merge(ReadOnlySpan<byte> bytes, List<int> ids)
    {
        int start = ids.Count;
        CollectionsMarshal.SetCount(ids, start + bytes.Length);
        Span<int> room = CollectionsMarshal.AsSpan(ids)[start..];
        int count = 0;
        bool wasUnknown = false;
        foreach (byte value in bytes)
        {
            int id = _byteIds[value];
            bool isUnknown = id == Missing;
            if (!isUnknown || (_unknown is not null && !(_fuse && wasUnknown)))
            {
                room[count++] = isUnknown ? _unknown!.Value : id;
            }

            wasUnknown = isUnknown;
        }

        CollectionsMarshal.SetCount(ids, start + _merger.Merge(room[..count]));
    }
}
