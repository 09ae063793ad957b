using Llama3Perf.Results.Files;
using Spectre.Console;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Where lines and tables go: a terminal of some width, with colours or without, or a pipe that takes plain text of any
/// width.</summary>
internal static class Screen
{
    private const int Narrowest = 40;

    /// <summary>True where a line can be written over: a terminal that is not a dumb one.</summary>
    public static bool IsLive => !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    /// <summary>True where colours may be used: NO_COLOR is not set (no-color.org).</summary>
    public static bool HasColour => IsLive && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>Characters of a line; a pipe has as many as it takes.</summary>
    public static int Width => Console.IsOutputRedirected ? int.MaxValue : Math.Max(Narrowest, Console.WindowWidth);

    /// <summary>A text, broken between words where it does not fit.</summary>
    public static void Line(string text, Tone tone = Tone.Plain)
    {
        foreach (string line in Break(text, Width - 1))
        {
            Write(line, tone);
            Console.WriteLine();
        }
    }

    /// <summary>A table. In a terminal texts wrap where it is too narrow, and numbers never do.</summary>
    /// <param name="table">The table.</param>
    /// <param name="tone">How a cell is shown.</param>
    public static void Table(TextTable table, Func<string, Tone>? tone = null)
    {
        if (!IsLive)
        {
            Console.Write(MarkdownTable.WriteText(table));
            return;
        }

        Table shown = new Table().Border(TableBorder.None);
        foreach (TextColumn column in table.Columns)
        {
            TableColumn header = new(new Text(column.Header, Of(Tone.Quiet)))
            {
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
                NoWrap = column.IsNumber,
                Padding = new Padding(0, 0, 2, 0),
            };
            shown.AddColumn(header);
        }

        foreach (IReadOnlyList<string> row in table.Rows)
        {
            shown.AddRow(row.Select(cell => new Text(cell, Of(tone?.Invoke(cell) ?? Tone.Plain))));
        }

        AnsiConsole.Write(shown);
    }

    /// <summary>A text in pieces that fit, broken at blanks; a word longer than a line stands on its own.</summary>
    internal static IEnumerable<string> Break(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }

        yield return line;
    }

    private static void Write(string text, Tone tone)
    {
        if (HasColour && tone != Tone.Plain)
        {
            AnsiConsole.Write(new Text(text, Of(tone)));
        }
        else
        {
            Console.Write(text);
        }
    }

    private static Style Of(Tone tone) =>
        !HasColour
            ? Style.Plain
            : tone switch
            {
                Tone.Strong => new Style(decoration: Decoration.Bold),
                Tone.Quiet => new Style(decoration: Decoration.Dim),
                Tone.Good => new Style(Color.Green),
                Tone.Doubtful => new Style(Color.Yellow),
                Tone.Bad => new Style(Color.Red),
                _ => Style.Plain,
            };
}

/// <summary>What a text means to its reader; a colour where there are colours.</summary>
internal enum Tone
{
    Plain,
    Strong,
    Quiet,
    Good,
    Doubtful,
    Bad,
}
