using System.Text;

namespace Llama3Perf.Results.Schema;

/// <summary>One string for equal cells of a file: names and hashes repeat in every row of a case.</summary>
internal sealed class StringPool
{
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _strings =
        new Dictionary<string, string>(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    private char[] _buffer = new char[256];

    /// <summary>The string of a UTF-8 cell.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (_buffer.Length < utf8.Length)
        {
            _buffer = new char[utf8.Length];
        }

        ReadOnlySpan<char> text = _buffer.AsSpan(0, Encoding.UTF8.GetChars(utf8, _buffer));
        if (!_strings.TryGetValue(text, out string? pooled))
        {
            pooled = text.ToString();
            _strings[pooled] = pooled;
        }

        return pooled;
    }
}
