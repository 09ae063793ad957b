using CsvHelper;

namespace Llama3Perf.Results.Schema;

/// <summary>A record that a row holds, whatever its type.</summary>
internal abstract class Part<TRow>
{
    /// <summary>A reader for one file, whose columns stand where <paramref name="indexOf"/> says; -1 is nowhere, and leaves the property as
    /// it is.</summary>
    public abstract PartReader<TRow> Reader(Func<string, int> indexOf);
}

/// <summary>A record that a row holds.</summary>
internal sealed class Part<TRow, TPart>(Action<TRow, TPart> set, Func<TPart> blank, bool areRare, IReadOnlyList<Column<TPart>> columns)
    : Part<TRow>
    where TPart : class
{
    public override PartReader<TRow> Reader(Func<string, int> indexOf) =>
        new PartReader<TRow, TPart>(set, blank, areRare, [.. columns.Where(column => indexOf(column.Name) >= 0)], indexOf);
}

/// <summary>Reads one part of the rows of a file.</summary>
internal abstract class PartReader<TRow>
{
    /// <summary>Sets the part of the row. False when a cell is not what its column expects; <paramref name="badColumn"/> is its position in
    /// the file.</summary>
    public abstract bool TryRead(CsvReader csv, TRow row, StringPool strings, out int badColumn);
}

/// <summary>
/// Reads one part of the rows of a file. Neighbouring rows mostly have the same machine and the same case: cells that equal
/// the previous row's are compared, not parsed, and rows with equal parts share one record.
/// </summary>
internal sealed class PartReader<TRow, TPart>(
    Action<TRow, TPart> set,
    Func<TPart> blank,
    bool areRare,
    Column<TPart>[] columns,
    Func<string, int> indexOf
) : PartReader<TRow>
    where TPart : class
{
    private readonly int[] _positions = [.. columns.Select(column => indexOf(column.Name))];
    private readonly byte[][] _cells = new byte[columns.Length][];
    private readonly Dictionary<TPart, TPart> _known = [];
    private TPart? _previous;

    public override bool TryRead(CsvReader csv, TRow row, StringPool strings, out int badColumn)
    {
        badColumn = -1;
        if (_previous is null || !EqualsPrevious(csv))
        {
            _previous = null;
            TPart part = blank();
            for (int i = 0; i < columns.Length; i++)
            {
                ReadOnlySpan<byte> cell = csv.GetSpan(_positions[i]);
                _cells[i] = cell.ToArray();
                if (!columns[i].TryRead(part, cell, strings))
                {
                    badColumn = _positions[i];
                    return false;
                }
            }

            _previous = Known(part);
        }

        set(row, _previous);
        return true;
    }

    private bool EqualsPrevious(CsvReader csv)
    {
        for (int i = 0; i < _positions.Length; i++)
        {
            if (!csv.GetSpan(_positions[i]).SequenceEqual(_cells[i]))
            {
                return false;
            }
        }

        return true;
    }

    private TPart Known(TPart part)
    {
        if (!areRare)
        {
            return part;
        }

        if (!_known.TryGetValue(part, out TPart? known))
        {
            _known.Add(part, known = part);
        }

        return known;
    }
}
