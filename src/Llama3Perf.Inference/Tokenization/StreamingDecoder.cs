namespace Llama3Perf.Inference.Tokenization;

/// <summary>Decodes tokens as they come; a character that is not complete yet is held back.</summary>
public sealed class StreamingDecoder
{
    private const char Replacement = '\uFFFD';

    private readonly Func<IReadOnlyList<int>, string> _decode;

    // Tokens whose text is not all said, behind one whose text is: what a token means can depend on the one before.
    private readonly List<int> _tokens = [];
    private int _said;

    internal StreamingDecoder(Func<IReadOnlyList<int>, string> decode) => _decode = decode;

    /// <summary>The text that this token completes; empty while a character is incomplete, or for an id outside the vocabulary.</summary>
    public string Add(int token)
    {
        _tokens.Add(token);
        string text = _decode(_tokens);
        // The bytes of a character that lacks some are shown as replacements, at the end alone.
        string complete = text.TrimEnd(Replacement);
        string news = complete.Length > _said ? complete[_said..] : "";
        _said = Math.Max(_said, complete.Length);
        if (complete.Length == text.Length)
        {
            _tokens.RemoveRange(0, _tokens.Count - 1);
            _said = _decode(_tokens).Length;
        }

        return news;
    }

    /// <summary>What is left at the end: U+FFFD for a character that never became complete.</summary>
    public string Finish()
    {
        string text = _decode(_tokens);
        string rest = text.Length > _said ? text[_said..] : "";
        _tokens.Clear();
        _said = 0;
        return rest;
    }
}
