using System.Globalization;
using System.Text;
using CsvHelper;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>
/// Reads the rows of one file, strictly: the columns are those of the schema, in its order, and every cell is what its column expects.
/// Of a file that an older version wrote the columns are those of that version, found by their names; the others are unknown.
/// </summary>
/// <typeparam name="TRow">The record of a row.</typeparam>
internal sealed class TableReader<TRow> : IDisposable
    where TRow : class
{
    private static readonly CsvReaderOptions s_strict = CsvReaderOptions.Default with
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
    private readonly StringPool _strings;
    private readonly PartReader<TRow>[] _parts;
    private readonly (Column<TRow> Column, int Position)[] _own;
    private readonly string[] _names;
    private readonly byte[] _version;
    private bool _hasFirstRow;

    /// <summary>Checks the whole text and the header.</summary>
    /// <exception cref="RunFileException">The file cannot be read, or is not such a table.</exception>
    public TableReader(Table<TRow> table, string path)
    {
        _table = table;
        _path = path;
        _csv = Open(path);
        try
        {
            Advance();
            _names = [.. Enumerable.Range(0, _csv.FieldCount).Select(_csv.GetString)];
            Version = ReadVersion() ?? VersionOf(_names);
            CheckHeader();
        }
        catch
        {
            _csv.Dispose();
            throw;
        }

        _strings = new StringPool(isGuarded: Version >= SpreadsheetText.Since);
        _version = Encoding.UTF8.GetBytes(Version.ToString(CultureInfo.InvariantCulture));
        _parts = [.. table.Parts.Select(part => part.Reader(PositionOf))];
        _own = [.. table.Own.Select(column => (column, PositionOf(column.Name))).Where(own => own.Item2 >= 0)];
    }

    /// <summary>Version of the schema that the file was written by.</summary>
    public int Version { get; }

    /// <summary>Row of the file, from 1; the header is row 1.</summary>
    public long RowNumber => _csv.RowNumber;

    /// <summary>The next row, or null at the end.</summary>
    /// <exception cref="RunFileException">The row is not what the schema expects.</exception>
    public TRow? Read()
    {
        bool isRead = _hasFirstRow || Advance();
        _hasFirstRow = false;
        if (!isRead)
        {
            return null;
        }

        if (_csv.FieldCount != _names.Length)
        {
            throw LineCheck.Error(_path, RowNumber, $"it has {_csv.FieldCount} columns, not {_names.Length}");
        }

        if (!_csv.GetSpan(PositionOf(SchemaVersion.ColumnName)).SequenceEqual(_version))
        {
            throw Error(
                SchemaVersion.ColumnName,
                $"'{Shortened(_csv.GetString(PositionOf(SchemaVersion.ColumnName)))}' stands where the first row has '{Version}'"
            );
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
        // Cells that are written in two ways may hold one value.
        if (!ReferenceEquals(here, there) && columns.FirstOrDefault(c => c.Text(here) != c.Text(there)) is { } column)
        {
            throw Error(column.Name, $"'{Shortened(column.Text(here))}' stands where a row above has '{Shortened(column.Text(there))}'");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _csv.Dispose();

    private static CsvReader Open(string path)
    {
        try
        {
            using (FileStream text = RegularFile.Open(path, RegularFile.MaxTableBytes))
            {
                LineCheck.Check(text, path);
            }

            return CsvReader.FromFile(path, s_strict, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RunFileException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>The version that the first row has; null when there is no row, or no column of it.</summary>
    private int? ReadVersion()
    {
        int position = PositionOf(SchemaVersion.ColumnName);
        _hasFirstRow = position >= 0 && Advance();
        if (!_hasFirstRow || position >= _csv.FieldCount)
        {
            return null;
        }

        string text = _csv.GetString(position);
        return !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version) || version < 1
                ? throw Error(
                    SchemaVersion.ColumnName,
                    $"'{Shortened(text)}' is not {_table.Columns[0].Expected}; restore the file as the suite wrote it"
                )
            : version > SchemaVersion.Current
                ? throw Error(
                    SchemaVersion.ColumnName,
                    $"'{Shortened(text)}' is newer than {SchemaVersion.Current}, the newest that this program reads; use the version of "
                        + "the suite that wrote it"
                )
            : version;
    }

    /// <summary>The version of a file without rows: the one whose columns it has, else this one's, whose message is the best.</summary>
    private int VersionOf(string[] names) =>
        Enumerable
            .Range(1, SchemaVersion.Current)
            .Reverse()
            .FirstOrDefault(
                version => names.Order(StringComparer.Ordinal).SequenceEqual(Expected(version).Order(StringComparer.Ordinal)),
                SchemaVersion.Current
            );

    private string[] Expected(int version) => [.. _table.Columns.Where(column => column.Since <= version).Select(column => column.Name)];

    private int PositionOf(string name) => Array.IndexOf(_names, name);

    private void CheckHeader()
    {
        string[] expected = Expected(Version);
        string? problem = Version == SchemaVersion.Current ? OrderProblem(_names, expected) : NameProblem(expected);
        if (problem is not null)
        {
            throw new RunFileException($"{_path}, row 1, {problem}; restore the file as the suite wrote it");
        }
    }

    /// <summary>An older version may have had another order.</summary>
    private string? NameProblem(string[] expected)
    {
        string? twice = _names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1)?.Key;
        string? unknown = _names.Except(expected, StringComparer.Ordinal).FirstOrDefault();
        string? missing = expected.Except(_names, StringComparer.Ordinal).FirstOrDefault();
        return twice is not null ? $"column {Array.LastIndexOf(_names, twice) + 1}: '{Shortened(twice)}' stands twice"
            : unknown is not null ? $"column {PositionOf(unknown) + 1}: schema version {Version} has no '{Shortened(unknown)}'"
            : missing is not null ? $"schema version {Version} has a column '{missing}', and this header has not"
            : null;
    }

    private static string? OrderProblem(string[] names, string[] expected)
    {
        if (names.AsSpan().SequenceEqual(expected))
        {
            return null;
        }

        if (names.Length == 1 && names[0].Contains(';'))
        {
            return "column 1: columns are separated by semicolons, not commas";
        }

        int i = names.AsSpan().CommonPrefixLength(expected);
        return $"column {i + 1}: "
            + (
                i == names.Length ? $"the header ends where '{expected[i]}' is expected"
                : i == expected.Length ? $"'{Shortened(names[i])}' stands after the last column"
                : $"'{Shortened(names[i])}' stands where '{expected[i]}' is expected"
            );
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
        Column<TRow> column = _table.Find(_names[position])!;
        return Error(column.Name, $"'{Shortened(_csv.GetString(position))}' is not {column.Expected}");
    }

    /// <summary>A cell as it may stand in a one-line message.</summary>
    private static string Shortened(string text) => TextLine.Of(text, 41);
}
