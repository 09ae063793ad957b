using System.Text;

namespace Llama3Perf.Results.Files;

/// <summary>Writes tables as GitHub-flavoured markdown that is aligned as plain text too.</summary>
public static class MarkdownTable
{
    /// <summary>The table, a line for the headings, one for the alignment and one for each row, each ending in LF.</summary>
    public static string Write(TextTable table)
    {
        string[][] rows = [.. table.Rows.Select(row => row.Select(Escape).ToArray())];
        string[] headers = [.. table.Columns.Select(column => Escape(column.Header))];
        int[] widths = [.. Widths(table, headers, rows).Select(width => Math.Max(width, 3))];
        StringBuilder text = new();
        WriteRow(text, headers.Select((header, i) => Pad(header, widths[i], table.Columns[i])));
        WriteRow(text, widths.Select((width, i) => table.Columns[i].IsNumber ? new string('-', width - 1) + ":" : new string('-', width)));
        foreach (string[] row in rows)
        {
            WriteRow(text, row.Select((cell, i) => Pad(cell, widths[i], table.Columns[i])));
        }

        return text.ToString();
    }

    /// <summary>The same table for a terminal, a log or a pipe: plain aligned text, every character as it is.</summary>
    public static string WriteText(TextTable table)
    {
        string[][] rows = [.. table.Rows.Select(row => row.Select(cell => TextLine.Of(cell)).ToArray())];
        string[] headers = [.. table.Columns.Select(column => column.Header)];
        int[] widths = Widths(table, headers, rows);
        StringBuilder text = new();
        foreach (string[] row in rows.Prepend(headers))
        {
            text.Append(string.Join("  ", row.Select((cell, i) => Pad(cell, widths[i], table.Columns[i]))).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    private static int[] Widths(TextTable table, string[] headers, string[][] rows) =>
        [.. headers.Select((header, i) => rows.Select(row => row[i].Length).Append(header.Length).Append(table.Columns[i].Width).Max())];

    /// <summary>
    /// Text that stands in a markdown line as it is: no column ends, no tag, link, image, code or reference begins, no address is linked,
    /// no
    /// line breaks.
    /// </summary>
    public static string Escape(string text)
    {
        StringBuilder escaped = new(text.Length);
        foreach (char c in text)
        {
            _ = c switch
            {
                '\\' or '|' or '[' or ']' or '`' => escaped.Append('\\').Append(c),
                '<' => escaped.Append("&lt;"),
                '&' => escaped.Append("&amp;"),
                _ when char.IsControl(c) => escaped.Append(' '),
                _ => escaped.Append(c),
            };
        }

        // GitHub makes links of bare addresses.
        return escaped.Replace("://", "\\://").Replace("www.", "www\\.").ToString();
    }

    private static string Pad(string cell, int width, TextColumn column) => column.IsNumber ? cell.PadLeft(width) : cell.PadRight(width);

    private static void WriteRow(StringBuilder text, IEnumerable<string> cells) =>
        text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
}
