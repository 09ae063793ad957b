using System.Linq.Expressions;

namespace Llama3Perf.Results.Schema;

/// <summary>The columns of one file, in order, and how its rows are put together.</summary>
/// <typeparam name="TRow">The record of a row.</typeparam>
public sealed class Table<TRow>
    where TRow : class
{
    private readonly Func<TRow> _blank;
    private readonly List<Column<TRow>> _own = [];
    private readonly List<Part<TRow>> _parts = [];
    private readonly List<Column<TRow>> _columns = [];

    /// <summary>An empty table.</summary>
    /// <param name="blank">Makes a row whose columns are all still to be set.</param>
    internal Table(Func<TRow> blank) => _blank = blank;

    /// <summary>All columns in the order of the file.</summary>
    public IReadOnlyList<Column<TRow>> Columns => _columns;

    /// <summary>The column of that name, or null.</summary>
    public Column<TRow>? Find(string name) => _columns.Find(column => column.Name == name);

    /// <summary>The columns that are properties of the row itself.</summary>
    internal IReadOnlyList<Column<TRow>> Own => _own;

    /// <summary>The records that the row holds.</summary>
    internal IReadOnlyList<Part<TRow>> Parts => _parts;

    /// <summary>A row whose columns are all still to be set.</summary>
    internal TRow Blank() => _blank();

    /// <summary>Appends columns that are properties of the row itself.</summary>
    internal Table<TRow> Add(params IEnumerable<Column<TRow>> columns)
    {
        foreach (Column<TRow> column in columns)
        {
            _own.Add(column);
            Append(column);
        }

        return this;
    }

    /// <summary>Appends the columns of a record that the row holds. Rows with equal cells share one record.</summary>
    internal Table<TRow> Add<TPart>(Expression<Func<TRow, TPart>> property, Func<TPart> blank, params IReadOnlyList<Column<TPart>> columns)
        where TPart : class => Add(property, blank, areRare: true, columns);

    /// <summary>The same, where nearly every row has a record of its own.</summary>
    internal Table<TRow> AddOwn<TPart>(
        Expression<Func<TRow, TPart>> property,
        Func<TPart> blank,
        params IReadOnlyList<Column<TPart>> columns
    )
        where TPart : class => Add(property, blank, areRare: false, columns);

    private Table<TRow> Add<TPart>(
        Expression<Func<TRow, TPart>> property,
        Func<TPart> blank,
        bool areRare,
        IReadOnlyList<Column<TPart>> columns
    )
        where TPart : class
    {
        Func<TRow, TPart> get = Column.Getter(property);
        _parts.Add(new Part<TRow, TPart>(Column.Setter(property), blank, areRare, columns));
        foreach (Column<TPart> column in columns)
        {
            Append(column.On(get));
        }

        return this;
    }

    /// <summary>Moves columns to the front.</summary>
    internal Table<TRow> StartingWith(params string[] names)
    {
        List<Column<TRow>> front = [.. names.Select(name => _columns.First(column => column.Name == name))];
        _columns.RemoveAll(front.Contains);
        _columns.InsertRange(0, front);
        return this;
    }

    /// <summary>A column that the row and its part share stands in the file once.</summary>
    private void Append(Column<TRow> column)
    {
        if (Find(column.Name) is null)
        {
            _columns.Add(column);
        }
    }
}
