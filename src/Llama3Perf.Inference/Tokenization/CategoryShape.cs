using System.Globalization;
using System.Text;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>
/// A text as a pattern sees it. .NET's expressions read UTF-16 units where those of tokenizer.json read code points, so each code point
/// beyond U+FFFF is shown as one character of the same general category, and places in it are translated back.
/// </summary>
internal readonly ref struct CategoryShape
{
    // One of each category, chosen so that no pattern of a tokenizer is likely to name it.
    private static readonly Dictionary<UnicodeCategory, char> s_stand = new[]
    {
        '\u0100', '\u0101', '\u01C5', '\u02B0', '\u01BB', '\u0300', '\u0903', '\u0488', '\u0660', '\u2180', '\u2070',
        '\u200B', '\uE000', '\u203F', '\u2012', '\u0F3A', '\u0F3B', '\u2039', '\u203A', '\u2020', '\u2200', '\u20A0', '\u02C2', '\u2100',
    }.ToDictionary(CharUnicodeInfo.GetUnicodeCategory);

    private readonly int[]? _places;

    private CategoryShape(ReadOnlySpan<char> text, int[]? places)
    {
        Text = text;
        _places = places;
    }

    /// <summary>What to match on.</summary>
    public ReadOnlySpan<char> Text { get; }

    /// <summary>The shape of a text without lone surrogates.</summary>
    /// <param name="text">The text.</param>
    /// <param name="longS">True to show U+017F as s, its case-insensitive equal in Unicode but not in .NET.</param>
    public static CategoryShape Of(ReadOnlySpan<char> text, bool longS)
    {
        bool plain = !text.ContainsAnyInRange('\uD800', '\uDFFF');
        if (plain && (!longS || !text.Contains('\u017F')))
        {
            return new CategoryShape(text, null);
        }

        char[] shape = new char[text.Length];
        int[]? places = plain ? null : new int[text.Length + 1];
        int count = 0;
        for (int i = 0; i < text.Length; count++)
        {
            places?[count] = i;
            Rune.DecodeFromUtf16(text[i..], out Rune rune, out int length);
            shape[count] = Stand(rune, longS);
            i += length;
        }

        places?[count] = text.Length;
        return new CategoryShape(shape.AsSpan(0, count), places);
    }

    /// <summary>Where in the text a place of the shape is.</summary>
    public int Place(int index) => _places?[index] ?? index;

    private static char Stand(Rune rune, bool longS)
    {
        if (rune.IsBmp)
        {
            return longS && rune.Value == '\u017F' ? 's' : (char)rune.Value;
        }

        return s_stand.GetValueOrDefault(Rune.GetUnicodeCategory(rune), '\uFFFE');
    }
}
