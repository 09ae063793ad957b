using System.Globalization;
using System.Text;
using CsCheck;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Inference.Tests.Tokenization;

/// <summary>Pieces worked out by hand from Llama 3's pattern, read by code point.</summary>
public sealed class PieceSplitterTests
{
    private static readonly PieceSplitter s_llama3 = new([new SplitStep(TokenizerFiles.Llama3Pattern)]);

    [Theory]
    [InlineData("Hello world", "Hello| world")]
    [InlineData("𝒜𝓫c", "𝒜𝓫c")] // letters beyond U+FFFF are letters
    [InlineData("x 𝒜𝓫", "x| 𝒜𝓫")]
    [InlineData("𝟘𝟙𝟚𝟛", "𝟘𝟙𝟚|𝟛")] // digits go by three
    [InlineData("1𝟙2𝟚3", "1𝟙2|𝟚3")]
    [InlineData("a👩‍💻b", "a|👩‍💻|b")] // symbol, joiner, symbol: none is letter, digit or space
    [InlineData("a 🦙🦙!\nb", "a| 🦙🦙!\n|b")]
    [InlineData("🦙b", "🦙b")] // one character that is neither letter nor digit may lead a word
    [InlineData("🦙🦙b", "🦙🦙|b")]
    [InlineData("e\u0301a", "e|\u0301a")] // a mark is no letter, and leads the next word
    [InlineData("a𞥊b", "a|𞥊b")] // a mark beyond U+FFFF
    [InlineData("漢𠀀𠀁字", "漢𠀀𠀁字")] // CJK extension B
    [InlineData("a\u0085b", "a|\u0085b")]
    [InlineData("a\u00A0\u00A0b", "a|\u00A0|\u00A0b")]
    [InlineData("a\u2028\u2028", "a|\u2028\u2028")]
    [InlineData("a\u200Bb", "a|\u200Bb")] // a zero-width space is no white space
    [InlineData("a\r\n\r\n b", "a|\r\n\r\n| b")]
    [InlineData("a \n\r \nb", "a| \n\r \n|b")]
    [InlineData("a   b", "a|  | b")]
    [InlineData("a  1", "a| | |1")]
    [InlineData("a!\r\nb", "a|!\r\n|b")]
    [InlineData("it'S I'LL", "it|'S| I|'LL")]
    [InlineData("it'\u017F", "it|'\u017F")] // the long s is a case of s
    [InlineData("it'\u017Fa", "it|'\u017F|a")]
    [InlineData("𝒜'\u017Fa 𝟘", "𝒜|'\u017F|a| |𝟘")]
    [InlineData("\uFFFDa", "\uFFFDa")]
    public void Llama_3_splits_by_code_point(string text, string pieces) => Assert.Equal(pieces.Split('|'), Split(s_llama3, text));

    [Fact]
    public void A_case_sensitive_pattern_does_not_take_the_long_s() =>
        Assert.Equal(["it", "'\u017F", "a"], Split(new PieceSplitter([new SplitStep(@"'s|'\u017F|\p{L}+")]), "it'\u017Fa"));

    [Fact]
    public void Every_code_point_beyond_is_split_by_its_category() => Gen.Int[0x10000, 0x10FFFF].Array[1, 12].Sample(
        values =>
        {
            string text = string.Concat(values.Select(value => new Rune(value).ToString()));
            PieceSplitter letters = new([new SplitStep(@"\p{L}+"), new SplitStep(@"\p{N}+")]);
            Assert.Equal(Runs(text), Split(letters, text));
        },
        iter: 200);

    [Fact]
    public void Pieces_are_the_text() => Gen.OneOf("a", "𝒜", " ", "\n", "\r", "'s", "'\u017F", "1", "𝟘", "🦙", "\u0301", "\u2028", "!").Array[0, 30].Select(string.Concat)
        .Sample(text => Assert.Equal(text, string.Concat(Split(s_llama3, text))), iter: 2000);

    [Fact]
    public void Removed_inverted_drops_what_lies_between() =>
        Assert.Equal(["𝒜b", "c"], Split(new PieceSplitter([new SplitStep(@"\p{L}+", DropRest: true)]), "1𝒜b 🦙c!"));

    [Fact]
    public void A_prefix_space_is_put_before_each_piece_without_one() =>
        Assert.Equal([" a", " b", " c"], Split(new PieceSplitter([new SplitStep(@" ?\p{L}"), new SplitStep(null, PrefixSpace: true)]), "a bc"));

    private static List<string> Split(PieceSplitter splitter, string text)
    {
        List<string> pieces = [];
        splitter.Split(text, piece => pieces.Add(piece.ToString()));
        return pieces;
    }

    // Neighbours of one class, letters, numbers or the rest, are one piece.
    private static List<string> Runs(string text)
    {
        List<string> runs = [];
        int before = -1;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int now = Rune.IsLetter(rune) ? 0 : Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber ? 1 : 2;
            if (now != before)
            {
                runs.Add("");
            }

            runs[^1] += rune.ToString();
            before = now;
        }

        return runs;
    }
}
