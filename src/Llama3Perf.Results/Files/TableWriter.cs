using CsvHelper;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>Writes the rows of one file: UTF-8 without a byte order mark, commas, LF.</summary>
internal static class TableWriter
{
    private static readonly CsvWriterOptions s_options = CsvWriterOptions.Default with { NewLine = "\n" };

    /// <summary>Writes header and rows.</summary>
    public static void Write<TRow>(Table<TRow> table, IEnumerable<TRow> rows, string path)
        where TRow : class
    {
        using CsvWriter csv = CsvWriter.ToFile(path, s_options, FileOptions.None);
        foreach (Column<TRow> column in table.Columns)
        {
            csv.WriteField(column.Name);
        }

        csv.EndRecord();
        foreach (TRow row in rows)
        {
            foreach (Column<TRow> column in table.Columns)
            {
                csv.WriteField(column.IsNumber ? column.Text(row) : SpreadsheetText.Guard(column.Text(row)));
            }

            csv.EndRecord();
        }
    }
}
