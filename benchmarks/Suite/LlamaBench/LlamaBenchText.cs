namespace Llama3Perf.Benchmarks.Suite.LlamaBench;

/// <summary>Words of llama-bench, made fit for a message or a cell of one line.</summary>
internal static class LlamaBenchText
{
    private const int Longest = 300;

    /// <summary>Without control characters, and cut to a length that can be read.</summary>
    public static string OneLine(string text)
    {
        string beginning = text.Length > Longest ? text[..Longest] + "..." : text;
        return string.Concat(beginning.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)).Trim();
    }

    /// <summary>The last line that is not blank; empty when there is none.</summary>
    public static string LastLine(string text) => OneLine(text.TrimEnd().Split('\n')[^1]);
}
