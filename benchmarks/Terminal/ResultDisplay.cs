using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Spectre.Console;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>What a person reads when the run is over: the table, what to know about it, where the files are.</summary>
internal static class ResultDisplay
{
    public static void Show(Run run, string folder)
    {
        IReadOnlyList<ResultRow> rows = Aggregates.Rows(run);
        if (rows.Count > 0)
        {
            Console.WriteLine();
            ShowTable(SummaryTable.Of(rows));
            foreach (string note in SummaryTable.Notes(rows))
            {
                Console.WriteLine(note);
            }

            Console.WriteLine();
        }

        foreach (string file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            Console.WriteLine(file);
        }
    }

    /// <summary>A table that fits the terminal; where output goes to a file, the lines are as long as they need to be.</summary>
    public static void ShowTable(TextTable table)
    {
        if (Console.IsOutputRedirected)
        {
            Console.WriteLine(MarkdownTable.WriteText(table));
            return;
        }

        Table shown = new Table().Border(TableBorder.Simple);
        foreach (TextColumn column in table.Columns)
        {
            TableColumn header = new(new Text(column.IsNumber ? column.Header.PadLeft(column.Width) : column.Header.PadRight(column.Width)))
            {
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
            };
            shown.AddColumn(header);
        }

        foreach (IReadOnlyList<string> row in table.Rows)
        {
            shown.AddRow(row.Select(cell => new Text(cell)));
        }

        AnsiConsole.Write(shown);
    }
}
