namespace Llama3Perf.Models;

/// <summary>How names and messages are written in files, folder names, messages and on the command line.</summary>
public static class Words
{
    /// <summary>An enumeration value as it is written everywhere: in lowercase letters (<c>int4</c>, <c>dml</c>).</summary>
    public static string Name<T>(this T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    /// <summary>A text of others, an exception's message above all, in one line: blanks instead of line ends and controls.</summary>
    /// <param name="text">What others wrote.</param>
    /// <param name="longest">Characters that are kept; what goes on is marked by three dots.</param>
    public static string OneLine(this string text, int longest = int.MaxValue)
    {
        string line = text.ReplaceLineEndings(" ");
        line = line.Length > longest ? $"{line.AsSpan(0, longest)}..." : line;
        return string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }
}
