using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Schema;

/// <summary>Reads a value from the UTF-8 text of a cell.</summary>
internal delegate bool CellParser<TValue>(ReadOnlySpan<byte> text, StringPool strings, out TValue value);

/// <summary>How values of one kind stand in a cell. What is formatted is parsed back to the value that was rounded to the cell's
/// precision.</summary>
/// <param name="Unit">Unit, or empty.</param>
/// <param name="Expected">What a cell has to be, for messages.</param>
/// <param name="Format">Text of a value; empty when unknown.</param>
/// <param name="TryParse">Reads the text; false when it is not what is expected.</param>
/// <param name="Number">The number as it stands in the cell, rounded, or null.</param>
internal sealed record Cell<TValue>(
    string Unit,
    string Expected,
    Func<TValue, string> Format,
    CellParser<TValue> TryParse,
    Func<TValue, double?> Number
)
{
    /// <summary>The numbers that the cell holds; null when it holds words or text.</summary>
    public NumberRange? Range { get; init; }
}

/// <summary>Numbers of a cell, from which the cells of their statistics are made.</summary>
/// <param name="Least">Smallest number; <see cref="double.Epsilon"/> is above nothing.</param>
/// <param name="Most">Largest number.</param>
/// <param name="Decimals">Digits after the point that a median of them may have.</param>
internal sealed record NumberRange(double Least, double Most, int Decimals);

/// <summary>The kinds of cells. Numbers are invariant, bare and in the shortest form that is read back exactly.</summary>
internal static class Cells
{
    private const double LongestMs = 1e9;
    private const double FastestTps = 1e9;

    /// <summary>Text that is always known. A row is a line of its file, so that line numbers in messages are right: control characters
    /// become blanks.</summary>
    public static Cell<string> Text { get; } =
        new("", "a text of printable characters that is not empty", TextLine.Of, TryReadText, _ => null);

    /// <summary>Text, or empty.</summary>
    public static Cell<string?> OptionalText { get; } =
        new("", "a text of printable characters", value => value is null ? "" : TextLine.Of(value), TryReadOptionalText, _ => null);

    /// <summary>A whole number that is always known.</summary>
    public static Cell<int> Count { get; } = CountFrom(0);

    /// <summary>A position, counted from 1.</summary>
    public static Cell<int> Index { get; } = CountFrom(1);

    /// <summary>A whole number, or empty.</summary>
    public static Cell<int?> OptionalCount { get; } = Optional(Count);

    /// <summary>A count of events, or empty.</summary>
    public static Cell<long?> OptionalEvents { get; } =
        Optional(
            new Cell<long>("", "a whole number from 0 to 2^60", Invariant, TryReadBytes, value => value)
            {
                Range = new NumberRange(0, 1L << 60, 0),
            }
        );

    /// <summary>Memory in bytes, or empty.</summary>
    public static Cell<long?> Bytes { get; } =
        Optional(
            new Cell<long>("bytes", "a whole number of bytes from 0 to 2^60", Invariant, TryReadBytes, value => value)
            {
                Range = new NumberRange(0, 1L << 60, 0),
            }
        );

    /// <summary>A time in milliseconds to the nanosecond, or empty.</summary>
    public static Cell<double?> Milliseconds { get; } = Real("ms", 0, LongestMs, decimals: 6);

    /// <summary>A time in milliseconds that cannot be nothing, or empty.</summary>
    public static Cell<double?> PositiveMilliseconds { get; } = Real("ms", double.Epsilon, LongestMs, decimals: 6);

    /// <summary>A time in milliseconds that is always known.</summary>
    public static Cell<double> KnownMilliseconds { get; } = KnownReal("ms", 0, LongestMs, decimals: 6);

    /// <summary>A rate in tokens a second, or empty.</summary>
    public static Cell<double?> TokensPerSecond { get; } = Real("tok/s", double.Epsilon, FastestTps, decimals: 4);

    /// <summary>A relative difference in percent, or empty.</summary>
    public static Cell<double?> Percent { get; } = Real("%", -1e9, 1e9, decimals: 3);

    /// <summary>A divergence, or empty. What a logit that was no number gives is unknown.</summary>
    public static Cell<double?> Nats { get; } = Real("nats", 0, 1e9, decimals: 9);

    /// <summary>A difference of times in milliseconds, or empty.</summary>
    public static Cell<double?> MillisecondsDifference { get; } = Real("ms", -1e12, 1e12, decimals: 6);

    /// <summary>A temperature, or empty.</summary>
    public static Cell<double?> Celsius { get; } = Real("°C", -273.15, 1000, decimals: 1);

    /// <summary>A power, or empty.</summary>
    public static Cell<double?> Watts { get; } = Real("W", 0, 1e6, decimals: 1);

    /// <summary>A time of day, UTC, ISO 8601.</summary>
    public static Cell<DateTimeOffset> Time { get; } =
        new("", "a UTC time such as 2026-01-31T12:00:00.0000000Z", FormatTime, TryReadTime, _ => null);

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public static Cell<bool> Flag { get; } = OneOf(("true", true), ("false", false));

    /// <summary><c>true</c>, <c>false</c> or empty.</summary>
    public static Cell<bool?> OptionalFlag { get; } = Optional(Flag);

    /// <summary><c>steady</c>, <c>unsteady</c> or empty.</summary>
    public static Cell<Steadiness?> OptionalSteadiness { get; } =
        Optional(OneOf(("steady", Steadiness.Steady), ("unsteady", Steadiness.Unsteady)));

    /// <summary>How a verification ended, or empty.</summary>
    public static Cell<VerificationStatus?> OptionalVerification { get; } =
        Optional(
            OneOf(
                ("reference", VerificationStatus.Reference),
                ("passed", VerificationStatus.Passed),
                ("failed", VerificationStatus.Failed),
                ("unverified", VerificationStatus.Unverified),
                ("off", VerificationStatus.Off)
            )
        );

    /// <summary>Whether the weights are random numbers.</summary>
    public static Cell<string> Weights { get; } = OneOf(("synthetic", "synthetic"), ("real", "real"));

    /// <summary>How a case ended.</summary>
    public static Cell<CaseStatus> Status { get; } =
        OneOf(
            ("ok", CaseStatus.Ok),
            ("failed", CaseStatus.Failed),
            ("skipped", CaseStatus.Skipped),
            ("interrupted", CaseStatus.Interrupted)
        );

    /// <summary>A version of the schema, up to the newest.</summary>
    public static Cell<int> Version(int newest) =>
        OneOf([.. Enumerable.Range(1, newest).Select(version => (Invariant(version), version))]) with
        {
            Expected = $"a schema version from 1 to {Invariant(newest)}",
        };

    /// <summary>A statistic of the numbers of a cell: of the same size, or, for a deviation, from 0.</summary>
    public static Cell<double?> Statistic(string unit, NumberRange range, bool isDeviation) =>
        Real(unit, isDeviation ? 0 : range.Least, range.Most, range.Decimals);

    private static Cell<TValue> OneOf<TValue>(params (string Text, TValue Value)[] words)
        where TValue : notnull
    {
        (byte[] Utf8, TValue Value)[] table = Array.ConvertAll(words, word => (Encoding.UTF8.GetBytes(word.Text), word.Value));
        return new("", string.Join(" or ", words.Select(word => $"'{word.Text}'")), Format, TryRead, _ => null);

        string Format(TValue value) => words.First(word => word.Value.Equals(value)).Text;

        bool TryRead(ReadOnlySpan<byte> text, StringPool strings, out TValue value)
        {
            foreach ((byte[] utf8, TValue candidate) in table)
            {
                if (text.SequenceEqual(utf8))
                {
                    value = candidate;
                    return true;
                }
            }

            value = default!;
            return false;
        }
    }

    /// <summary>The same cell where an empty one means unknown.</summary>
    private static Cell<TValue?> Optional<TValue>(Cell<TValue> cell)
        where TValue : struct
    {
        return new(
            cell.Unit,
            cell.Expected + ", or empty",
            value => value is { } known ? cell.Format(known) : "",
            TryRead,
            value => value is { } known ? cell.Number(known) : null
        )
        {
            Range = cell.Range,
        };

        bool TryRead(ReadOnlySpan<byte> text, StringPool strings, out TValue? value)
        {
            if (text.IsEmpty)
            {
                value = null;
                return true;
            }

            bool read = cell.TryParse(text, strings, out TValue known);
            value = known;
            return read;
        }
    }

    private static Cell<int> CountFrom(int least)
    {
        return new("", $"a whole number from {least} to 1e9", Invariant, TryRead, value => value)
        {
            Range = new NumberRange(least, 1e9, 4),
        };

        bool TryRead(ReadOnlySpan<byte> text, StringPool strings, out int value) =>
            Utf8Parser.TryParse(text, out value, out int used) && used == text.Length && value >= least && value <= 1_000_000_000;
    }

    /// <summary>Numbers outside the limits, such as a rate over a time of zero, are no measurements: they are written as unknown and never
    /// read.</summary>
    private static Cell<double?> Real(string unit, double least, double most, int decimals)
    {
        Cell<double> known = KnownReal(unit, least, most, decimals);
        return new(
            unit,
            known.Expected + ", or empty",
            value => Rounded(value) is { } number ? Invariant(number) : "",
            Optional(known).TryParse,
            Rounded
        )
        {
            Range = known.Range,
        };

        // Rounding must not turn something into nothing.
        double? Rounded(double? value) =>
            value >= least && value <= most
                ? (Math.Round(value.Value, decimals) is var rounded && rounded >= least ? rounded : value)
                : null;
    }

    private static Cell<double> KnownReal(string unit, double least, double most, int decimals)
    {
        string from = least == double.Epsilon ? "above 0" : $"from {Invariant(least)}";
        return new(
            unit,
            $"a number{(unit.Length > 0 ? $" of {unit}" : "")} {from}, at most {Invariant(most)}",
            value => Invariant(Math.Round(value, decimals)),
            TryRead,
            value => Math.Round(value, decimals)
        )
        {
            Range = new NumberRange(least, most, decimals),
        };

        bool TryRead(ReadOnlySpan<byte> text, StringPool strings, out double value) =>
            Utf8Parser.TryParse(text, out value, out int used) && used == text.Length && value >= least && value <= most;
    }

    private static bool TryReadText(ReadOnlySpan<byte> text, StringPool strings, out string value)
    {
        bool read = strings.TryGet(text, out string? pooled);
        value = pooled ?? "";
        return read && value.Length > 0;
    }

    private static bool TryReadOptionalText(ReadOnlySpan<byte> text, StringPool strings, out string? value)
    {
        value = null;
        return text.IsEmpty || strings.TryGet(text, out value);
    }

    private static bool TryReadBytes(ReadOnlySpan<byte> text, StringPool strings, out long value) =>
        Utf8Parser.TryParse(text, out value, out int used) && used == text.Length && value is >= 0 and <= 1L << 60;

    private static string FormatTime(DateTimeOffset time) => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);

    private static bool TryReadTime(ReadOnlySpan<byte> text, StringPool strings, out DateTimeOffset value)
    {
        bool read = Utf8Parser.TryParse(text, out DateTime time, out int used, 'O') && used == text.Length && time.Kind == DateTimeKind.Utc;
        value = read ? new DateTimeOffset(time) : default;
        return read;
    }

    private static string Invariant<TNumber>(TNumber number)
        where TNumber : IFormattable => number.ToString(null, CultureInfo.InvariantCulture);
}
