namespace Llama3Perf.Results.Schema;

/// <summary>The values of one column of many rows, without the rows: 8 bytes a number, and nothing a row where all are the same.</summary>
/// <typeparam name="TRow">The record of a row.</typeparam>
internal abstract class ColumnValues<TRow>
{
    /// <summary>Appends the row's value.</summary>
    public abstract void Add(TRow row);

    /// <summary>Sets the property of a row to the value at an index.</summary>
    public abstract void Restore(TRow row, int index);

    /// <summary>The number at an index; null when it is unknown or the column holds text.</summary>
    public abstract double? Number(int index);

    /// <summary>Values as they are.</summary>
    public static ColumnValues<TRow> Of<TValue>(Func<TRow, TValue> get, Action<TRow, TValue> set, Func<TValue, double?> number) =>
        (get, set, number) switch
        {
            // A nullable number takes twice the room of a number: unknown is one that no cell can hold.
            (Func<TRow, double?> from, Action<TRow, double?> to, Func<double?, double?> of) => new Packed<double?, long>(
                from,
                to,
                of,
                value => BitConverter.DoubleToInt64Bits(value ?? double.NaN),
                bits => BitConverter.Int64BitsToDouble(bits) is var value && double.IsNaN(value) ? null : value
            ),
            (Func<TRow, double> from, Action<TRow, double> to, Func<double, double?> of) => new Packed<double, long>(
                from,
                to,
                of,
                BitConverter.DoubleToInt64Bits,
                BitConverter.Int64BitsToDouble
            ),
            (Func<TRow, long?> from, Action<TRow, long?> to, Func<long?, double?> of) => new Packed<long?, long>(
                from,
                to,
                of,
                value => value ?? long.MinValue,
                value => value == long.MinValue ? null : value
            ),
            _ => new Packed<TValue, TValue>(get, set, number, value => value, value => value),
        };

    private sealed class Packed<TValue, TStored>(
        Func<TRow, TValue> get,
        Action<TRow, TValue> set,
        Func<TValue, double?> number,
        Func<TValue, TStored> pack,
        Func<TStored, TValue> unpack
    ) : ColumnValues<TRow>
    {
        private readonly ChunkedList<TStored> _values = new();

        public override void Add(TRow row) => _values.Add(pack(get(row)));

        public override void Restore(TRow row, int index) => set(row, unpack(_values[index]));

        public override double? Number(int index) => number(unpack(_values[index]));
    }
}

/// <summary>A list that grows without copying all of it, and that holds one value where all are equal.</summary>
internal sealed class ChunkedList<T>
{
    private const int Shift = 12;
    private const int ChunkLength = 1 << Shift;

    private T[][]? _chunks;
    private T _first = default!;
    private int _count;

    /// <summary>The value at an index.</summary>
    public T this[int index] => _chunks is null ? _first : _chunks[index >> Shift][index & (ChunkLength - 1)];

    /// <summary>Appends a value.</summary>
    public void Add(T value)
    {
        if (_count == 0)
        {
            _first = value;
        }
        else if (_chunks is not null || !EqualityComparer<T>.Default.Equals(value, _first))
        {
            Set(value);
        }

        _count++;
    }

    private void Set(T value)
    {
        if (_chunks is null)
        {
            _chunks = [];
            for (int start = 0; start < _count; start += ChunkLength)
            {
                Room(start >> Shift, Math.Min(_count - start, ChunkLength)).AsSpan(0, Math.Min(_count - start, ChunkLength)).Fill(_first);
            }
        }

        Room(_count >> Shift, (_count & (ChunkLength - 1)) + 1)[_count & (ChunkLength - 1)] = value;
    }

    // Only the last chunk is shorter than the others: most cases have some ten values.
    private T[] Room(int chunk, int length)
    {
        if (chunk == _chunks!.Length)
        {
            Array.Resize(ref _chunks, chunk + 1);
            _chunks[chunk] = [];
        }

        if (_chunks[chunk].Length < length)
        {
            Array.Resize(ref _chunks[chunk], Math.Min(Math.Max(length, Math.Max(16, _chunks[chunk].Length * 2)), ChunkLength));
        }

        return _chunks[chunk];
    }
}
