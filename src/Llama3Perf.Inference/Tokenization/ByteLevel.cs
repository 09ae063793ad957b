using System.Text;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>
/// The one-to-one map of bytes to printable characters that byte-level BPE writes its tokens in: printable Latin-1 bytes stand for
/// themselves, the others for the characters from U+0100 on, in order.
/// </summary>
internal static class ByteLevel
{
    private static readonly char[] s_characters = Characters();

    private static readonly Dictionary<char, byte> s_bytes = s_characters.Select((character, value) => (character, (byte)value)).ToDictionary();

    /// <summary>The character that each byte is written as, by value.</summary>
    public static ReadOnlySpan<char> Alphabet => s_characters;

    /// <summary>Writes bytes as a token does.</summary>
    public static void Write(ReadOnlySpan<byte> bytes, Span<char> characters)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            characters[i] = s_characters[bytes[i]];
        }
    }

    /// <summary>The bytes that a token stands for. Characters outside the map stand for their own UTF-8.</summary>
    public static byte[] ToBytes(string token) => token.All(s_bytes.ContainsKey)
        ? [.. token.Select(character => s_bytes[character])]
        : Encoding.UTF8.GetBytes(token);

    private static char[] Characters()
    {
        char[] characters = new char[256];
        int next = 0x100;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = (char)(printable ? value : next++);
        }

        return characters;
    }
}
