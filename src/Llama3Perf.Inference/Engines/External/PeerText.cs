using System.Text;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>Words of another program, made fit for a message of one line.</summary>
public static class PeerText
{
    private const int Longest = 300;

    /// <summary>Without control characters, and cut to a length that can be read.</summary>
    public static string OneLine(string text)
    {
        StringBuilder line = new(Math.Min(text.Length, Longest) + 3);
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, Longest)))
        {
            line.Append(char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c);
        }

        if (text.Length > Longest)
        {
            line.Append("...");
        }

        return line.ToString().Trim();
    }

    /// <summary>The beginning of a line that it printed, in quotes.</summary>
    public static string Quote(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> beginning = line[..Math.Min(line.Length, 100)];
        return $"'{OneLine(Encoding.UTF8.GetString(beginning))}{(beginning.Length < line.Length ? "..." : "")}'";
    }
}
