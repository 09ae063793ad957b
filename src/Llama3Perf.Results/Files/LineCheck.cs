using System.Buffers;
using System.Globalization;
using System.Text.Unicode;

namespace Llama3Perf.Results.Files;

/// <summary>
/// Whether a file is text as the suite writes it: UTF-8 without a byte order mark, lines that end in LF, the last one too.
/// A file that another program saved again, or that was cut off, may hold other numbers than were measured: it is refused, not repaired.
/// </summary>
internal static class LineCheck
{
    private const int LongestLine = 1 << 20;
    private const string Restore = "restore the file as the suite wrote it";

    private static readonly SearchValues<byte> s_controls = SearchValues.Create([
        .. Enumerable.Range(0, 32).Where(b => b != '\n').Select(b => (byte)b),
    ]);

    /// <summary>Reads the stream to its end.</summary>
    /// <exception cref="RunFileException">It is not such text.</exception>
    public static void Check(Stream stream, string path)
    {
        byte[] buffer = new byte[LongestLine];
        int held = 0;
        long row = 1;
        bool first = true;
        for (int read; (read = stream.Read(buffer, held, buffer.Length - held)) > 0; )
        {
            ReadOnlySpan<byte> text = buffer.AsSpan(0, held + read);
            if (first && text.StartsWith("\uFEFF"u8))
            {
                throw Error(path, 1, $"it starts with a byte order mark; {Restore}");
            }

            first = false;
            int lines = text.LastIndexOf((byte)'\n') + 1;
            if (lines == 0 && text.Length == buffer.Length)
            {
                throw Error(path, row, $"it is longer than {LongestLine} bytes; {Restore}");
            }

            row = CheckLines(text[..lines], path, row);
            text[lines..].CopyTo(buffer);
            held = text.Length - lines;
        }

        if (first)
        {
            throw new RunFileException($"{path} is empty; {Restore}");
        }

        if (held > 0)
        {
            throw Error(path, row, $"the file breaks off in the middle of it; {Restore}");
        }
    }

    /// <summary>The message of a problem with a whole row.</summary>
    public static RunFileException Error(string path, long row, string problem) =>
        new($"{path}, row {row.ToString(CultureInfo.InvariantCulture)}: {problem}");

    private static long CheckLines(ReadOnlySpan<byte> lines, string path, long row)
    {
        if (!lines.ContainsAny(s_controls) && Utf8.IsValid(lines))
        {
            return row + lines.Count((byte)'\n');
        }

        for (; !lines.IsEmpty; row++)
        {
            int length = lines.IndexOf((byte)'\n');
            CheckLine(lines[..length], path, row);
            lines = lines[(length + 1)..];
        }

        return row;
    }

    private static void CheckLine(ReadOnlySpan<byte> line, string path, long row)
    {
        if (line.EndsWith((byte)'\r'))
        {
            throw Error(path, row, $"it ends in CR LF, not LF; {Restore}");
        }

        if (line.IndexOfAny(s_controls) is >= 0 and var index)
        {
            throw Error(path, row, $"byte {index + 1} is the control character 0x{line[index]:x2}; {Restore}");
        }

        if (!Utf8.IsValid(line))
        {
            throw Error(path, row, $"it is not UTF-8; {Restore}");
        }
    }
}
