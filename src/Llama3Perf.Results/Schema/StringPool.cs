using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Llama3Perf.Results.Schema;

/// <summary>One string for equal cells of a file: names and hashes repeat in every row of a case.</summary>
/// <param name="isGuarded">True for files whose texts are written as <see cref="SpreadsheetText"/>.</param>
internal sealed class StringPool(bool isGuarded = false)
{
    private readonly Dictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> _strings = new Dictionary<string, string>(
        StringComparer.Ordinal
    ).GetAlternateLookup<ReadOnlySpan<char>>();

    private char[] _buffer = new char[256];

    /// <summary>The string of a UTF-8 cell; false when it has control characters, which are never written.</summary>
    public bool TryGet(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out string? pooled)
    {
        if (_buffer.Length < utf8.Length)
        {
            _buffer = new char[utf8.Length];
        }

        ReadOnlySpan<char> text = _buffer.AsSpan(0, Encoding.UTF8.GetChars(utf8, _buffer));
        text = isGuarded ? SpreadsheetText.Unguard(text) : text;
        if (_strings.TryGetValue(text, out pooled))
        {
            return true;
        }

        pooled = text.ToString();
        return !pooled.Any(char.IsControl) && _strings.TryAdd(text, pooled);
    }
}
