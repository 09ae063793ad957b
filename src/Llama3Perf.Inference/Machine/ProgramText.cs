using System.Text;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Machine;

/// <summary>Words of another program, made fit for a message of one line.</summary>
public static class ProgramText
{
    private const int Longest = 300;

    /// <summary>Without control characters, and cut to a length that can be read.</summary>
    public static string OneLine(string text) => text.OneLine(Longest);

    /// <summary>The beginning of a line that it printed, in quotes.</summary>
    public static string Quote(ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> beginning = line[..Math.Min(line.Length, 100)];
        return $"'{OneLine(Encoding.UTF8.GetString(beginning))}{(beginning.Length < line.Length ? "..." : "")}'";
    }
}
