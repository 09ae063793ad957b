using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>A token that is found in the text itself, before anything is split or merged.</summary>
/// <param name="Content">Its text.</param>
/// <param name="Id">Token id.</param>
/// <param name="SingleWord">True when it counts only where no word character touches it.</param>
/// <param name="LeftStrip">True when it takes the white space before it.</param>
/// <param name="RightStrip">True when it takes the white space after it.</param>
/// <param name="Normalized">True when it is looked for after all tokens that are not.</param>
internal sealed record AddedToken(string Content, int Id, bool SingleWord = false, bool LeftStrip = false, bool RightStrip = false, bool Normalized = false);

/// <summary>Finds added tokens in a text: the leftmost first, of those in one place the longest.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> _byContent;
    private readonly int[] _lengths;
    private readonly SearchValues<string> _search;

    /// <summary>Prepares the search. Of tokens with one text the first counts.</summary>
    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        Dictionary<string, AddedToken> byContent = tokens.DistinctBy(token => token.Content, StringComparer.Ordinal).ToDictionary(token => token.Content, StringComparer.Ordinal);
        _byContent = byContent.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = [.. byContent.Keys.Select(content => content.Length).Distinct().OrderDescending()];
        _search = SearchValues.Create([.. byContent.Keys], StringComparison.Ordinal);
    }

    /// <summary>A stretch of text, and the token that it is; no token for ordinary text.</summary>
    [StructLayout(LayoutKind.Auto)]
    public readonly record struct Stretch(int Start, int End, int? Id);

    /// <summary>The text from end to end, in order.</summary>
    public IEnumerable<Stretch> Cut(string text)
    {
        int done = 0;
        for (int from = 0; Next(text, from) is { } found; from = found.Start + found.Token.Content.Length)
        {
            (int start, AddedToken token) = found;
            int end = start + token.Content.Length;
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end))))
            {
                continue;
            }

            // White space that the token before has taken is not there for this one.
            start = token.LeftStrip ? Math.Max(done, text.AsSpan(0, start).TrimEnd().Length) : start;
            end = token.RightStrip ? text.Length - text.AsSpan(end).TrimStart().Length : end;
            if (done < start)
            {
                yield return new Stretch(done, start, null);
            }

            yield return new Stretch(start, end, token.Id);
            done = end;
        }

        if (done < text.Length)
        {
            yield return new Stretch(done, text.Length, null);
        }
    }

    private (int Start, AddedToken Token)? Next(string text, int from)
    {
        int offset = text.AsSpan(from).IndexOfAny(_search);
        if (offset < 0)
        {
            return null;
        }

        ReadOnlySpan<char> rest = text.AsSpan(from + offset);
        foreach (int length in _lengths)
        {
            if (length <= rest.Length && _byContent.TryGetValue(rest[..length], out AddedToken? token))
            {
                return (from + offset, token);
            }
        }

        return null;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out Rune last, out _) == OperationStatus.Done && IsWord(last);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out Rune first, out _) == OperationStatus.Done && IsWord(first);

    // \w of Unicode's regular expressions: letters, marks, digits, connectors, joiners, and letters in circles and squares.
    private static bool IsWord(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation
        || rune.Value is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);
}
