using System.Text;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>Decodes tokens as they come; the bytes of a character that is not complete yet are held back.</summary>
public sealed class StreamingDecoder
{
    private readonly IReadOnlyDictionary<int, byte[]> _bytes;
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();

    internal StreamingDecoder(IReadOnlyDictionary<int, byte[]> bytes) => _bytes = bytes;

    /// <summary>The text that this token completes; empty while a character is incomplete, or for an id outside the vocabulary.</summary>
    public string Add(int token) => _bytes.TryGetValue(token, out byte[]? bytes) ? Convert(bytes, flush: false) : "";

    /// <summary>What is left at the end: U+FFFD for a character that never became complete.</summary>
    public string Finish() => Convert([], flush: true);

    private string Convert(byte[] bytes, bool flush)
    {
        char[] characters = new char[_utf8.GetCharCount(bytes, flush)];
        int count = _utf8.GetChars(bytes, characters, flush);
        return new string(characters, 0, count);
    }
}
