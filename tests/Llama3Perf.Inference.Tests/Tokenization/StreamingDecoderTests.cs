using System.Text;
using CsCheck;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Inference.Tests.Tokenization;

public sealed class StreamingDecoderTests
{
    private static readonly Gen<byte> s_byte = Gen.OneOf(Gen.Byte, Gen.OneOf<byte>(0x41, 0x80, 0xBF, 0xC2, 0xC0, 0xE0, 0xA0, 0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xFF));

    [Fact]
    public void Text_cut_anywhere_comes_back_in_whole_characters() =>
        Gen.Select(Gen.Int[0, 0x10FFFF].Where(Rune.IsValid).Array[0, 30], Gen.Int[1, 5].Array[1, 6]).Sample(
            (runes, sizes) =>
            {
                string text = string.Concat(runes.Select(rune => new Rune(rune).ToString()));
                List<string> parts = Stream(Encoding.UTF8.GetBytes(text), sizes);
                Assert.Equal(text, string.Concat(parts));
                Assert.All(parts, part => Assert.Equal(part, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(part))));
                Assert.Equal("", parts[^1]);
            },
            iter: 3000);

    [Fact]
    public void Bytes_that_are_no_text_become_replacements_wherever_they_are_cut() => Gen.Select(s_byte.Array[0, 20], Gen.Int[1, 5].Array[1, 6]).Sample(
        (bytes, sizes) => Assert.Equal(Lossy(bytes), string.Concat(Stream(bytes, sizes))),
        iter: 5000);

    [Theory]
    [InlineData(new byte[] { 0xF0, 0x9F, 0xA6 }, "\uFFFD")]
    [InlineData(new byte[] { 0xE6, 0xBC, 0x41 }, "\uFFFDA")]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 }, "\uFFFD\uFFFD\uFFFD")]
    [InlineData(new byte[] { 0xC0, 0x80 }, "\uFFFD\uFFFD")]
    [InlineData(new byte[] { 0xF4, 0x90, 0x80, 0x80 }, "\uFFFD\uFFFD\uFFFD\uFFFD")]
    public void Each_longest_beginning_of_a_character_is_one_replacement(byte[] bytes, string text) =>
        Assert.Equal(text, string.Concat(Stream(bytes, [1])));

    private static List<string> Stream(byte[] bytes, int[] sizes)
    {
        Dictionary<int, byte[]> tokens = [];
        for (int start = 0; start < bytes.Length; start += tokens[tokens.Count - 1].Length)
        {
            tokens[tokens.Count] = bytes[start..Math.Min(bytes.Length, start + sizes[tokens.Count % sizes.Length])];
        }

        StreamingDecoder decoder = new(tokens);
        return [.. tokens.Keys.Order().Select(decoder.Add), decoder.Finish()];
    }

    // The rule of Unicode, chapter 3.9: each maximal beginning of a well-formed sequence is one U+FFFD, and so is any other byte.
    private static string Lossy(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        while (!bytes.IsEmpty)
        {
            Rune.DecodeFromUtf8(bytes, out Rune rune, out int consumed);
            text.Append(rune.ToString());
            bytes = bytes[consumed..];
        }

        return text.ToString();
    }
}
