namespace Llama3Perf.Results;

/// <summary>Text from outside as one line that fits a message: no control characters, and not longer than a person reads.</summary>
public static class TextLine
{
    /// <summary>Characters that a message has at most.</summary>
    public const int LongestMessage = 500;

    /// <summary>The text with a blank for every control character.</summary>
    public static string Of(string text) => text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;

    /// <summary>The same, cut when it is longer than some number of characters.</summary>
    public static string Of(string text, int longest)
    {
        string line = Of(text);
        return line.Length <= longest
            ? line
            : string.Concat(line.AsSpan(0, char.IsHighSurrogate(line[longest - 2]) ? longest - 2 : longest - 1), "…");
    }
}
