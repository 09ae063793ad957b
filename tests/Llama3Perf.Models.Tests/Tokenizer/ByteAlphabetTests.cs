using CsCheck;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Tests.Tokenizer;

public sealed class ByteAlphabetTests
{
    [Fact]
    public void Every_byte_has_its_own_character()
    {
        Assert.Equal(256, ByteAlphabet.Characters.Distinct().Count());
        for (int value = 0; value < 256; value++)
        {
            Assert.True(ByteAlphabet.TryGetByte(ByteAlphabet.ToChar((byte)value), out byte back));
            Assert.Equal(value, back);
        }
    }

    [Fact]
    public void Text_reads_as_in_published_vocabularies()
    {
        Assert.Equal("ĠtheĊ", ByteAlphabet.FromText(" the\n"));
        Assert.Equal("Ã©", ByteAlphabet.FromText("é"));
        Assert.Equal(["!", "\"", "~", "¡"], new[] { 0, 1, 93, 94 }.Select(id => ByteAlphabet.Characters[id].ToString()));
    }

    [Fact]
    public void A_character_outside_is_refused() =>
        Gen.Char.Sample(c => ByteAlphabet.TryGetByte(c, out _) == ByteAlphabet.Characters.Contains(c, StringComparison.Ordinal));
}
