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

/// <summary>What becomes of the values of a case's iterations in its row of results.csv.</summary>
public enum Statistic
{
    /// <summary>Nothing: the column is in samples.csv only.</summary>
    None,

    /// <summary>Median, mean, standard deviation, smallest and largest, a column each.</summary>
    Spread,

    /// <summary>Median over iterations.</summary>
    Median,

    /// <summary>Median over launches of what is constant within a launch.</summary>
    LaunchMedian,

    /// <summary>The largest.</summary>
    Maximum,
}

/// <summary>How tables that people read show a column.</summary>
/// <param name="Text">Heading; the column's unit is put behind it.</param>
/// <param name="Width">Characters that the column has at least, so that the tables of several runs look alike.</param>
/// <param name="Name">What people call it, for the titles of charts.</param>
public sealed record Heading(string Text, int Width, string? Name = null)
{
    /// <summary>False when the heading stands without the unit.</summary>
    public bool HasUnit { get; init; } = true;

    /// <summary>True shows the standard deviation of a <see cref="Statistic.Spread"/> beside its median.</summary>
    public bool WithDeviation { get; init; }
}

/// <summary>One column of a results file, over the rows that it is read from and written to.</summary>
/// <typeparam name="TRow">The record of a row.</typeparam>
public abstract class Column<TRow>
{
    private const double BytesPerMiB = 1 << 20;

    private protected Column(ColumnTraits traits, string unit, NumberRange? range, PropertyInfo? property) =>
        (Traits, Unit, Range, Property) = (traits, unit, range, property);

    /// <summary>Name in the file's header.</summary>
    public string Name => Traits.Name;

    /// <summary>Unit of the number: <c>ms</c>, <c>tok/s</c>, <c>bytes</c>, <c>%</c>; empty when there is none.</summary>
    public string Unit { get; }

    /// <summary>What the column is for.</summary>
    public ColumnRole Role => Traits.Role;

    /// <summary>Which way a metric improves.</summary>
    public Direction Direction => Traits.Direction;

    /// <summary>What becomes of the iterations' values in the row of their case.</summary>
    public Statistic Statistic => Traits.Statistic;

    /// <summary>How tables that people read show the column; null leaves it out.</summary>
    public Heading? Heading => Traits.Heading;

    /// <summary>True when its cells are numbers, which stand on the right in tables.</summary>
    public bool IsNumber => Range is not null;

    /// <summary>The heading with its unit, else the name.</summary>
    public string Title =>
        Heading is not { } heading ? Name
        : heading.HasUnit && ShownUnit.Length > 0 ? $"{heading.Text} {ShownUnit}"
        : heading.Text;

    /// <summary>Version of the schema that brought the column; files of older versions lack it.</summary>
    public int Since => Traits.Since;

    /// <summary>
    /// What an unknown key counts as in a comparison, since files from before the column were measured so. Null: unknown is a value of its
    /// own.
    /// </summary>
    public string? Absent => Traits.Absent;

    /// <summary>The cell's text as it stands in the file, before quoting; empty when unknown.</summary>
    public abstract string Text(TRow row);

    /// <summary>The number in <see cref="Unit"/>, as it stands in the file; null when it is unknown or the column holds text.</summary>
    public abstract double? Value(TRow row);

    /// <summary>The cell as people read it: four significant digits, bytes as MiB; empty when unknown.</summary>
    public string Shown(TRow row) =>
        Value(row) is not { } value || Unit.Length == 0 ? Text(row) : Figure.Text(Unit == "bytes" ? value / BytesPerMiB : value);

    /// <summary>The text that is known; null when it is unknown.</summary>
    public string? Key(TRow row) => Text(row) is { Length: > 0 } text ? text : null;

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The numbers that its cells hold; null when they hold words or text.</summary>
    internal NumberRange? Range { get; }

    /// <summary>The property that it stands for; its doc comment says what the column means. Null for a constant.</summary>
    internal PropertyInfo? Property { get; }

    /// <summary>What is said of the column besides its property and its cell.</summary>
    internal ColumnTraits Traits { get; }

    /// <summary>What the cell has to be, for messages: "a number of ms from 0 to 1e9".</summary>
    internal abstract string Expected { get; }

    /// <summary>Sets the row's property from a cell; false when the text is not <see cref="Expected"/>.</summary>
    internal abstract bool TryRead(TRow row, ReadOnlySpan<byte> text, StringPool strings);

    /// <summary>Room for the column's values without their rows; null for a column that is no property of the row itself.</summary>
    internal virtual ColumnValues<TRow>? NewValues() => null;

    /// <summary>The same column over a row that holds this one's as a part.</summary>
    internal Column<TOuter> On<TOuter>(Func<TOuter, TRow> part) => new PartColumn<TOuter, TRow>(this, part);

    private string ShownUnit => Unit == "bytes" ? "MiB" : Unit;
}

/// <summary>What a line of the schema says of a column besides its property and its cell.</summary>
internal sealed record ColumnTraits(string Name, ColumnRole Role)
{
    /// <summary>Which way a metric improves.</summary>
    public Direction Direction { get; init; }

    /// <summary>What becomes of the iterations' values.</summary>
    public Statistic Statistic { get; init; }

    /// <summary>How tables show it.</summary>
    public Heading? Heading { get; init; }

    /// <summary>Version that brought the column.</summary>
    public int Since { get; init; } = 1;

    /// <summary>Version that brought its statistic to results.csv.</summary>
    public int ResultSince { get; init; } = 1;

    /// <summary>What an unknown key counts as in a comparison.</summary>
    public string? Absent { get; init; }
}

/// <summary>Makes columns from properties: one property and one line in a schema are a column.</summary>
internal static class Column
{
    /// <summary>A column that a comparison matches.</summary>
    public static Column<TRow> Key<TRow, TValue>(
        string name,
        Expression<Func<TRow, TValue>> property,
        Cell<TValue> cell,
        int since = 1,
        string? absent = null,
        Heading? heading = null
    ) =>
        Of(
            new ColumnTraits(name, ColumnRole.Key)
            {
                Since = since,
                Absent = absent,
                Heading = heading,
            },
            property,
            cell
        );

    /// <summary>A column with a measured number.</summary>
    public static Column<TRow> Metric<TRow, TValue>(
        string name,
        Expression<Func<TRow, TValue>> property,
        Cell<TValue> cell,
        Direction direction,
        Statistic statistic = Statistic.None,
        Heading? heading = null,
        int since = 1,
        int? resultSince = null
    ) =>
        Of(
            new ColumnTraits(name, ColumnRole.Metric)
            {
                Direction = direction,
                Statistic = statistic,
                Heading = heading,
                Since = since,
                ResultSince = resultSince ?? since,
            },
            property,
            cell
        );

    /// <summary>Any other column.</summary>
    public static Column<TRow> Info<TRow, TValue>(
        string name,
        Expression<Func<TRow, TValue>> property,
        Cell<TValue> cell,
        Statistic statistic = Statistic.None,
        Heading? heading = null,
        int since = 1,
        int? resultSince = null
    ) =>
        Of(
            new ColumnTraits(name, ColumnRole.Info)
            {
                Statistic = statistic,
                Heading = heading,
                Since = since,
                ResultSince = resultSince ?? since,
            },
            property,
            cell
        );

    /// <summary>A column whose cell is the same in every row of every file that this version writes.</summary>
    public static Column<TRow> Constant<TRow>(string name, Cell<int> cell, int value) =>
        new PropertyColumn<TRow, int>(new ColumnTraits(name, ColumnRole.Info), cell, property: null, _ => value, (_, _) => { });

    /// <summary>The getter of a property.</summary>
    public static Func<TRow, TValue> Getter<TRow, TValue>(Expression<Func<TRow, TValue>> property) =>
        PropertyOf(property).GetMethod!.CreateDelegate<Func<TRow, TValue>>();

    /// <summary>The setter of an init-only property. Rows are filled by it while they are being read, and never after.</summary>
    public static Action<TRow, TValue> Setter<TRow, TValue>(Expression<Func<TRow, TValue>> property) =>
        PropertyOf(property).SetMethod!.CreateDelegate<Action<TRow, TValue>>();

    private static PropertyColumn<TRow, TValue> Of<TRow, TValue>(
        ColumnTraits traits,
        Expression<Func<TRow, TValue>> property,
        Cell<TValue> cell
    ) => new(traits, cell, PropertyOf(property), Getter(property), Setter(property));

    private static PropertyInfo PropertyOf<TRow, TValue>(Expression<Func<TRow, TValue>> property) =>
        (PropertyInfo)((MemberExpression)property.Body).Member;
}

/// <summary>A column that is a property of the row.</summary>
internal sealed class PropertyColumn<TRow, TValue>(
    ColumnTraits traits,
    Cell<TValue> cell,
    PropertyInfo? property,
    Func<TRow, TValue> get,
    Action<TRow, TValue> set
) : Column<TRow>(traits, cell.Unit, cell.Range, property)
{
    internal override string Expected => cell.Expected;

    public override string Text(TRow row) => cell.Format(get(row));

    public override double? Value(TRow row) => cell.Number(get(row));

    internal override ColumnValues<TRow>? NewValues() => Property is null ? null : ColumnValues<TRow>.Of(get, set, cell.Number);

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
    : Column<TRow>(column.Traits, column.Unit, column.Range, column.Property)
{
    internal override string Expected => column.Expected;

    public override string Text(TRow row) => column.Text(part(row));

    public override double? Value(TRow row) => column.Value(part(row));

    internal override bool TryRead(TRow row, ReadOnlySpan<byte> text, StringPool strings) => column.TryRead(part(row), text, strings);
}
