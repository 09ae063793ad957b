using System.Linq.Expressions;
using System.Reflection;

namespace Llama3Perf.Results.Schema;

/// <summary>What a column is for.</summary>
public enum ColumnRole
{
    /// <summary>Part of what a comparison must match, unless it is the field that is being varied.</summary>
    Key,

    /// <summary>A measured number.</summary>
    Metric,

    /// <summary>Everything else.</summary>
    Info,
}

/// <summary>Which way a metric improves.</summary>
public enum Direction
{
    /// <summary>Neither: reported, never gated.</summary>
    None,

    /// <summary>Throughput.</summary>
    HigherIsBetter,

    /// <summary>Time and memory.</summary>
    LowerIsBetter,
}

/// <summary>One column of a results file, over the rows that it is read from and written to.</summary>
/// <typeparam name="TRow">The record of a row.</typeparam>
public abstract class Column<TRow>
{
    private protected Column(ColumnTraits traits, string unit) => (Traits, Unit) = (traits, unit);

    /// <summary>Name in the file's header.</summary>
    public string Name => Traits.Name;

    /// <summary>Unit of the number: <c>ms</c>, <c>tok/s</c>, <c>bytes</c>, <c>%</c>; empty when there is none.</summary>
    public string Unit { get; }

    /// <summary>What the column is for.</summary>
    public ColumnRole Role => Traits.Role;

    /// <summary>Which way a metric improves.</summary>
    public Direction Direction => Traits.Direction;

    /// <summary>Version of the schema that brought the column; files of older versions lack it.</summary>
    public int Since => Traits.Since;

    /// <summary>
    /// What an unknown key counts as in a comparison, since files from before the column were measured so. Null: unknown is a value of its own.
    /// </summary>
    public string? Absent => Traits.Absent;

    /// <summary>The cell's text as it stands in the file, before quoting; empty when unknown.</summary>
    public abstract string Text(TRow row);

    /// <summary>The number in <see cref="Unit"/>, as it stands in the file; null when it is unknown or the column holds text.</summary>
    public abstract double? Value(TRow row);

    /// <summary>The text that is known; null when it is unknown.</summary>
    public string? Key(TRow row) => Text(row) is { Length: > 0 } text ? text : null;

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>What is said of the column besides its property and its cell.</summary>
    internal ColumnTraits Traits { get; }

    /// <summary>What the cell has to be, for messages: "a number of ms from 0 to 1e9".</summary>
    internal abstract string Expected { get; }

    /// <summary>Sets the row's property from a cell; false when the text is not <see cref="Expected"/>.</summary>
    internal abstract bool TryRead(TRow row, ReadOnlySpan<byte> text, StringPool strings);

    /// <summary>The same column over a row that holds this one's as a part.</summary>
    internal Column<TOuter> On<TOuter>(Func<TOuter, TRow> part) => new PartColumn<TOuter, TRow>(this, part);
}

/// <summary>What a line of the schema says of a column besides its property and its cell.</summary>
internal sealed record ColumnTraits(string Name, ColumnRole Role)
{
    /// <summary>Which way a metric improves.</summary>
    public Direction Direction { get; init; }

    /// <summary>Version that brought the column.</summary>
    public int Since { get; init; } = 1;

    /// <summary>What an unknown key counts as in a comparison.</summary>
    public string? Absent { get; init; }
}

/// <summary>Makes columns from properties: one property and one line in a schema are a column.</summary>
internal static class Column
{
    /// <summary>A column that a comparison matches.</summary>
    public static Column<TRow> Key<TRow, TValue>(
        string name, Expression<Func<TRow, TValue>> property, Cell<TValue> cell, int since = 1, string? absent = null) =>
        Of(new ColumnTraits(name, ColumnRole.Key) { Since = since, Absent = absent }, property, cell);

    /// <summary>A column with a measured number.</summary>
    public static Column<TRow> Metric<TRow, TValue>(
        string name, Expression<Func<TRow, TValue>> property, Cell<TValue> cell, Direction direction, int since = 1) =>
        Of(new ColumnTraits(name, ColumnRole.Metric) { Direction = direction, Since = since }, property, cell);

    /// <summary>Any other column.</summary>
    public static Column<TRow> Info<TRow, TValue>(string name, Expression<Func<TRow, TValue>> property, Cell<TValue> cell, int since = 1) =>
        Of(new ColumnTraits(name, ColumnRole.Info) { Since = since }, property, cell);

    /// <summary>A column whose cell is the same in every row of every file that this version writes.</summary>
    public static Column<TRow> Constant<TRow>(string name, Cell<int> cell, int value) =>
        new PropertyColumn<TRow, int>(new ColumnTraits(name, ColumnRole.Info), cell, _ => value, (_, _) => { });

    /// <summary>The getter of a property.</summary>
    public static Func<TRow, TValue> Getter<TRow, TValue>(Expression<Func<TRow, TValue>> property) =>
        PropertyOf(property).GetMethod!.CreateDelegate<Func<TRow, TValue>>();

    /// <summary>The setter of an init-only property. Rows are filled by it while they are being read, and never after.</summary>
    public static Action<TRow, TValue> Setter<TRow, TValue>(Expression<Func<TRow, TValue>> property) =>
        PropertyOf(property).SetMethod!.CreateDelegate<Action<TRow, TValue>>();

    private static PropertyColumn<TRow, TValue> Of<TRow, TValue>(ColumnTraits traits, Expression<Func<TRow, TValue>> property, Cell<TValue> cell) =>
        new(traits, cell, Getter(property), Setter(property));

    private static PropertyInfo PropertyOf<TRow, TValue>(Expression<Func<TRow, TValue>> property) =>
        (PropertyInfo)((MemberExpression)property.Body).Member;
}

/// <summary>A column that is a property of the row.</summary>
internal sealed class PropertyColumn<TRow, TValue>(ColumnTraits traits, Cell<TValue> cell, Func<TRow, TValue> get, Action<TRow, TValue> set)
    : Column<TRow>(traits, cell.Unit)
{
    internal override string Expected => cell.Expected;

    public override string Text(TRow row) => cell.Format(get(row));

    public override double? Value(TRow row) => cell.Number(get(row));

    internal override bool TryRead(TRow row, ReadOnlySpan<byte> text, StringPool strings)
    {
        if (!cell.TryParse(text, strings, out TValue value))
        {
            return false;
        }

        set(row, value);
        return true;
    }
}

/// <summary>A column of a part of the row.</summary>
internal sealed class PartColumn<TRow, TPart>(Column<TPart> column, Func<TRow, TPart> part)
    : Column<TRow>(column.Traits, column.Unit)
{
    internal override string Expected => column.Expected;

    public override string Text(TRow row) => column.Text(part(row));

    public override double? Value(TRow row) => column.Value(part(row));

    internal override bool TryRead(TRow row, ReadOnlySpan<byte> text, StringPool strings) =>
        column.TryRead(part(row), text, strings);
}
