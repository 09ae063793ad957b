using System.Collections.Frozen;
using System.Text;

namespace Llama3Perf.Models.Tokenizer;

/// <summary>
/// The alphabet of byte-level BPE: one printable character for each of the 256 bytes, so that a vocabulary is plain text
/// (a space is <c>Ġ</c>, a line feed <c>Ċ</c>). Introduced by GPT-2's <c>bytes_to_unicode</c>, used by Llama 3.
/// </summary>
public static class ByteAlphabet
{
    private static readonly char[] s_charOfByte = MapBytes();
    private static readonly FrozenDictionary<char, byte> s_byteOfChar = Enumerable
        .Range(0, 256)
        .ToFrozenDictionary(b => s_charOfByte[b], b => (byte)b);

    /// <summary>The 256 characters in the order of GPT-2's and Llama 3's first token ids: printable bytes first.</summary>
    public static string Characters { get; } = string.Concat(s_charOfByte.Order());

    /// <summary>The character that stands for a byte.</summary>
    public static char ToChar(byte value) => s_charOfByte[value];

    /// <summary>The byte that a character stands for; false when the character is not of the alphabet.</summary>
    public static bool TryGetByte(char character, out byte value) => s_byteOfChar.TryGetValue(character, out value);

    /// <summary>Text as UTF-8 bytes, each as its character. Lone surrogates become U+FFFD, as in any UTF-8 conversion.</summary>
    public static string FromText(string text) => string.Concat(Encoding.UTF8.GetBytes(text).Select(ToChar));

    // Bytes that Latin-1 prints stand for themselves; the others take the characters from U+0100 on, in order.
    private static char[] MapBytes()
    {
        char[] map = new char[256];
        char next = '\u0100';
        for (int b = 0; b < map.Length; b++)
        {
            bool printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            map[b] = printable ? (char)b : next++;
        }

        return map;
    }
}
