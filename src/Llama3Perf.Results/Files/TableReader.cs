using System.Globalization;
using System.Text;
using CsvHelper;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>Reads the rows of one file, strictly: the columns are those of the schema, in its order, and every cell is what its column expects.</summary>
/// <typeparam name="TRow">The record of a row.</typeparam>
internal sealed class TableReader<TRow> : IDisposable
    where TRow : class
{
    private static readonly CsvReaderOptions Strict = CsvReaderOptions.Default with
    {
        Separator = ',',
        HasHeader = false,
        SkipEmptyLines = false,
        AllowLineBreaksInQuotes = false,
        MalformedData = CsvMalformedDataHandling.Throw,
    };

    private readonly Table<TRow> _table;
    private readonly string _path;
    private readonly CsvReader _csv;
    private readonly StringPool _strings = new();
    private readonly PartReader<TRow>[] _parts;
    private readonly (Column<TRow> Column, int Position)[] _own;

    /// <summary>Checks the whole text and the header.</summary>
    /// <exception cref="RunFileException">The file cannot be read, or is not such a table.</exception>
    public TableReader(Table<TRow> table, string path)
    {
        _table = table;
        _path = path;
        _parts = [.. table.Parts.Select(part => part.Reader(table.IndexOf))];
        _own = [.. table.Own.Select(column => (column, table.IndexOf(column.Name)))];
        _csv = Open(path);
        try
        {
            CheckHeader();
        }
        catch
        {
            _csv.Dispose();
            throw;
        }
    }

    /// <summary>Row of the file, from 1; the header is row 1.</summary>
    public long RowNumber => _csv.RowNumber;

    /// <summary>The next row, or null at the end.</summary>
    /// <exception cref="RunFileException">The row is not what the schema expects.</exception>
    public TRow? Read()
    {
        if (!Advance())
        {
            return null;
        }

        if (_csv.FieldCount != _table.Columns.Count)
        {
            throw LineCheck.Error(_path, RowNumber, $"it has {_csv.FieldCount} columns, not {_table.Columns.Count}");
        }

        TRow row = _table.Blank();
        foreach ((Column<TRow> column, int position) in _own)
        {
            if (!column.TryRead(row, _csv.GetSpan(position), _strings))
            {
                throw BadCell(position);
            }
        }

        foreach (PartReader<TRow> part in _parts)
        {
            if (!part.TryRead(_csv, row, _strings, out int badColumn))
            {
                throw BadCell(badColumn);
            }
        }

        return row;
    }

    /// <summary>The message of a problem with a cell of the current row.</summary>
    public RunFileException Error(string column, string problem) =>
        new($"{_path}, row {RowNumber.ToString(CultureInfo.InvariantCulture)}, column {column}: {problem}");

    /// <summary>That a part of the current row is the one of a row above it: parts that are equal are one object.</summary>
    /// <exception cref="RunFileException">It is another; the message names the first column that differs.</exception>
    public void CheckSame<TPart>(TRow row, TRow above, Func<TRow, TPart> part, IReadOnlyList<Column<TPart>> columns)
        where TPart : class
    {
        TPart here = part(row);
        TPart there = part(above);
        if (!ReferenceEquals(here, there))
        {
            Column<TPart> column = columns.First(c => c.Text(here) != c.Text(there));
            throw Error(column.Name, $"'{Shortened(column.Text(here))}' stands where a row above has '{Shortened(column.Text(there))}'");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _csv.Dispose();

    private static CsvReader Open(string path)
    {
        try
        {
            using (FileStream text = File.OpenRead(path))
            {
                LineCheck.Check(text, path);
            }

            return CsvReader.FromFile(path, Strict, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"{path} cannot be read: {e.Message}", e);
        }
    }

    private void CheckHeader()
    {
        Advance();
        string[] names = [.. Enumerable.Range(0, _csv.FieldCount).Select(_csv.GetString)];
        string[] expected = [.. _table.Columns.Select(column => column.Name)];
        if (names.AsSpan().SequenceEqual(expected))
        {
            return;
        }

        int version = Array.IndexOf(names, SchemaVersion.ColumnName);
        if (version >= 0 && Advance() && version < _csv.FieldCount && !_csv.GetSpan(version).SequenceEqual(Encoding.UTF8.GetBytes(SchemaVersion.Current.ToString(CultureInfo.InvariantCulture))))
        {
            throw Error(SchemaVersion.ColumnName, $"'{Shortened(_csv.GetString(version))}' is not {_table.Columns[0].Expected}; use the version of the suite that wrote it");
        }

        throw new RunFileException($"{_path}, row 1, {HeaderProblem(names, expected)}");
    }

    private static string HeaderProblem(string[] names, string[] expected)
    {
        if (names.Length == 1 && names[0].Contains(';'))
        {
            return "column 1: columns are separated by semicolons, not commas; restore the file as the suite wrote it";
        }

        int i = names.AsSpan().CommonPrefixLength(expected);
        return $"column {i + 1}: " + (
            i == names.Length ? $"the header ends where '{expected[i]}' is expected" :
            i == expected.Length ? $"'{Shortened(names[i])}' stands after the last column" :
            $"'{Shortened(names[i])}' stands where '{expected[i]}' is expected") + "; restore the file as the suite wrote it";
    }

    private bool Advance()
    {
        try
        {
            return _csv.Read();
        }
        catch (CsvFormatException e)
        {
            throw LineCheck.Error(_path, e.RecordNumber, "its quotes are broken; restore the file as the suite wrote it");
        }
        catch (IOException e)
        {
            throw new RunFileException($"{_path} cannot be read: {e.Message}", e);
        }
    }

    private RunFileException BadCell(int position)
    {
        Column<TRow> column = _table.Columns[position];
        return Error(column.Name, $"'{Shortened(_csv.GetString(position))}' is not {column.Expected}");
    }

    /// <summary>A cell as it may stand in a one-line message.</summary>
    private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
