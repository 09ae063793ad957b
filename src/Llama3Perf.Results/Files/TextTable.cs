using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>A table of texts to be shown: in the console, in markdown, in HTML.</summary>
/// <param name="Columns">Its columns.</param>
/// <param name="Rows">Its rows, each with a cell for every column.</param>
public sealed record TextTable(IReadOnlyList<TextColumn> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);

/// <summary>A column of a table to be shown.</summary>
/// <param name="Header">Its heading.</param>
/// <param name="IsNumber">True when the cells are numbers, which stand on the right.</param>
/// <param name="Width">Characters that it has at least.</param>
public sealed record TextColumn(string Header, bool IsNumber, int Width = 0)
{
    /// <summary>A column of the files, with its heading there.</summary>
    internal static TextColumn Of<TRow>(Column<TRow> column) => new(column.Title, column.IsNumber, column.Heading?.Width ?? 0);
}
