using System.Text;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Schema;

/// <summary>What stands in a cell, what is read from one, and what is refused.</summary>
public sealed class CellTests
{
    [Fact]
    public void Whole_numbers_end_where_they_say()
    {
        Assert.Equal([0, 1, 1_000_000_000], new[] { "0", "1", "1000000000" }.Select(text => Read(Cells.Count, text)));
        Assert.All(["", "-1", "1000000001", "1x", "1.5", "4294967296"], text => AssertRefused(Cells.Count, text));
        Assert.Equal(1, Read(Cells.Index, "1"));
        AssertRefused(Cells.Index, "0");
        Assert.Equal([null, 7], new[] { "", "7" }.Select(text => Read(Cells.OptionalCount, text)));
        AssertRefused(Cells.OptionalCount, "-7");
        Assert.Equal(("7", ""), (Cells.OptionalCount.Format(7), Cells.OptionalCount.Format(null)));
        Assert.Equal((7.0, null), (Cells.OptionalCount.Number(7)!.Value, Cells.OptionalCount.Number(null)));
    }

    [Fact]
    public void Bytes_and_events_go_to_two_to_the_sixtieth()
    {
        foreach (Cell<long?> cell in new[] { Cells.Bytes, Cells.OptionalEvents })
        {
            Assert.Equal([null, 0L, 1L << 60], new[] { "", "0", "1152921504606846976" }.Select(text => Read(cell, text)));
            Assert.All(["-1", "1152921504606846977", "1e3", "12 "], text => AssertRefused(cell, text));
            Assert.Equal(("12", 12.0, null), (cell.Format(12), cell.Number(12)!.Value, cell.Number(null)));
            Assert.Equal(new NumberRange(0, 1L << 60, 0), cell.Range);
        }
    }

    [Fact]
    public void Numbers_that_are_no_measurements_are_unknown()
    {
        foreach (double? nothing in new double?[] { null, double.NaN, -1e-9, 1.0000001e9, double.PositiveInfinity })
        {
            Assert.Equal(("", null), (Cells.Milliseconds.Format(nothing), Cells.Milliseconds.Number(nothing)));
        }

        Assert.Equal(("0", "1000000000"), (Cells.Milliseconds.Format(0), Cells.Milliseconds.Format(1e9)));
        Assert.Equal("", Cells.PositiveMilliseconds.Format(0));
        Assert.Equal([null, 0.0, 1e9, 0.5], new[] { "", "0", "1000000000", "5E-1" }.Select(text => Read(Cells.Milliseconds, text)));
        Assert.All(["-1", "1000000001", "1,5", "1.5x", "NaN"], text => AssertRefused(Cells.Milliseconds, text));
        AssertRefused(Cells.PositiveMilliseconds, "0");
        Assert.Equal((0.0, 1e9), (Read(Cells.KnownMilliseconds, "0"), Read(Cells.KnownMilliseconds, "1000000000")));
        Assert.All(["", "-1", "1000000001"], text => AssertRefused(Cells.KnownMilliseconds, text));
    }

    [Fact]
    public void Rounding_keeps_a_units_digits_and_turns_nothing_into_nothing()
    {
        const double Value = 12.3456789012;
        Assert.Equal(
            ["12.345679", "12.3457", "12.346", "12.345678901", "12.345679", "12.3", "12.35", "12.3", "12.345679"],
            new[]
            {
                Cells.Milliseconds,
                Cells.TokensPerSecond,
                Cells.Percent,
                Cells.Nats,
                Cells.MillisecondsDifference,
                Cells.Celsius,
                Cells.GigabytesPerSecond,
                Cells.Watts,
                Cells.PositiveMilliseconds,
            }.Select(cell => cell.Format(Value))
        );
        Assert.Equal((12.345679, "12.345679"), (Cells.KnownMilliseconds.Number(Value), Cells.KnownMilliseconds.Format(Value)));
        Assert.Equal((12.346, 12.3457), (Cells.Percent.Number(Value), Cells.TokensPerSecond.Number(Value)));
        Assert.Equal(("1E-09", 1e-9), (Cells.PositiveMilliseconds.Format(1e-9), Cells.PositiveMilliseconds.Number(1e-9)));
        Assert.Equal("0", Cells.Milliseconds.Format(1e-9));
    }

    [Fact]
    public void Differences_and_temperatures_go_below_zero()
    {
        Assert.Equal(
            ("-3", "-1", "-273.15"),
            (Cells.Percent.Format(-3), Cells.MillisecondsDifference.Format(-1), Invariant(Cells.Celsius.Range!.Least))
        );
        AssertRefused(Cells.Celsius, "-274");
        AssertRefused(Cells.Percent, "-1000000001");
        AssertRefused(Cells.MillisecondsDifference, "-1000000000001");
    }

    [Fact]
    public void A_deviation_begins_at_zero_and_the_other_statistics_where_their_numbers_do()
    {
        NumberRange range = Cells.TokensPerSecond.Range!;
        Cell<double?> deviation = Cells.Statistic("tok/s", range, isDeviation: true);
        Cell<double?> median = Cells.Statistic("tok/s", range, isDeviation: false);
        Assert.Equal((0.0, "0"), (Read(deviation, "0"), deviation.Format(0)));
        AssertRefused(median, "0");
        Assert.Equal((range.Most, 4, "tok/s"), (median.Range!.Most, median.Range.Decimals, median.Unit));
    }

    [Fact]
    public void A_time_is_UTC_to_the_last_digit()
    {
        DateTimeOffset time = new(2026, 1, 31, 12, 0, 0, TimeSpan.FromHours(2));
        Assert.Equal("2026-01-31T10:00:00.0000000Z", Cells.Time.Format(time));
        Assert.Equal(time.ToUniversalTime(), Read(Cells.Time, "2026-01-31T10:00:00.0000000Z"));
        Assert.All(
            ["", "2026-01-31", "2026-01-31T10:00:00.0000000", "2026-01-31T10:00:00.0000000+02:00", "2026-01-31T10:00:00.0000000Zx"],
            text => AssertRefused(Cells.Time, text)
        );
        Assert.Null(Cells.Time.Number(time));
    }

    [Fact]
    public void Words_are_those_of_a_list()
    {
        Assert.Equal((true, false), (Read(Cells.Flag, "true"), Read(Cells.Flag, "false")));
        Assert.All(["", "True", "yes", "truee"], text => AssertRefused(Cells.Flag, text));
        Assert.Equal([null, true], new[] { "", "true" }.Select(text => Read(Cells.OptionalFlag, text)));
        Assert.Equal(("false", ""), (Cells.OptionalFlag.Format(false), Cells.OptionalFlag.Format(null)));
        Assert.Null(Cells.Flag.Number(true));
        foreach (CaseStatus status in Enum.GetValues<CaseStatus>())
        {
            Assert.Equal(status, Read(Cells.Status, Cells.Status.Format(status)));
        }

        foreach (VerificationStatus status in Enum.GetValues<VerificationStatus>())
        {
            Assert.Equal(status, Read(Cells.OptionalVerification, Cells.OptionalVerification.Format(status)));
        }

        foreach (Steadiness steadiness in Enum.GetValues<Steadiness>())
        {
            Assert.Equal(steadiness, Read(Cells.OptionalSteadiness, Cells.OptionalSteadiness.Format(steadiness)));
        }
    }

    [Fact]
    public void A_version_is_one_up_to_the_newest()
    {
        Assert.Equal([1, 2, 3], new[] { "1", "2", "3" }.Select(text => Read(Cells.Version(3), text)));
        Assert.All(["0", "4", "", "01"], text => AssertRefused(Cells.Version(3), text));
    }

    [Fact]
    public void Text_is_one_line_that_may_be_as_long_as_it_likes()
    {
        string text = new('x', 1000);
        Assert.Equal((text, text), (Read(Cells.Text, text), Read(Cells.OptionalText, text)));
        AssertRefused(Cells.Text, "");
        Assert.All(["a\nb", "\u0007"], bad => AssertRefused(Cells.Text, bad));
        AssertRefused(Cells.OptionalText, "a\tb");
        Assert.Equal((null, "a"), (Read(Cells.OptionalText, ""), Read(Cells.OptionalText, "a")));
        Assert.Equal(("a b", "a b", ""), (Cells.Text.Format("a\nb"), Cells.OptionalText.Format("a\nb"), Cells.OptionalText.Format(null)));
        Assert.Equal((null, null), (Cells.Text.Number("1"), Cells.OptionalText.Number("1")));
    }

    [Theory]
    [InlineData("=1", "'=1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@a", "'@a")]
    [InlineData("'a", "''a")]
    [InlineData("\uFF1D", "'\uFF1D")]
    [InlineData("\uFF0B", "'\uFF0B")]
    [InlineData("\uFF0D", "'\uFF0D")]
    [InlineData("\uFF20", "'\uFF20")]
    [InlineData("a=1", "a=1")]
    [InlineData("", "")]
    public void What_a_spreadsheet_would_take_for_a_formula_has_a_mark(string text, string cell)
    {
        Assert.Equal(cell, SpreadsheetText.Guard(text));
        Assert.Equal(text, SpreadsheetText.Unguard(cell).ToString());
        Assert.True(new StringPool(isGuarded: true).TryGet(Encoding.UTF8.GetBytes(cell), out string? guarded));
        Assert.Equal(text, guarded);
        Assert.True(new StringPool().TryGet(Encoding.UTF8.GetBytes(cell), out string? plain));
        Assert.Equal(cell, plain);
    }

    [Fact]
    public void Equal_cells_are_one_string()
    {
        StringPool strings = new();
        Assert.True(strings.TryGet("name"u8, out string? first));
        Assert.True(strings.TryGet("name"u8, out string? second));
        Assert.Same(first, second);
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData(0.0, "0")]
    [InlineData(123456.7, "123457")]
    [InlineData(1234.6, "1235")]
    [InlineData(123.456, "123.5")]
    [InlineData(12.3456, "12.35")]
    [InlineData(-1.23456, "-1.235")]
    [InlineData(0.0123456, "0.01235")]
    [InlineData(0.000123456, "0.000123")]
    public void A_figure_has_four_significant_digits(double? value, string expected) => Assert.Equal(expected, Figure.Text(value));

    [Fact]
    public void A_column_shows_itself_in_its_unit()
    {
        ResultRow row = new()
        {
            Run = TestRuns.Identity,
            Environment = TestRuns.Environment,
            Case = TestRuns.Case,
            CaseId = "id",
            Status = CaseStatus.Ok,
            LaunchCount = 1,
            SampleCount = 1,
            Statistics = [.. ResultSchema.Statistics.Select(column => column.Name == "peak_rss_bytes" ? 3_670_016.0 : (double?)null)],
        };
        Assert.Equal("peak MiB", ResultSchema.Column("peak_rss_bytes").Title);
        Assert.Equal("3.500", ResultSchema.Column("peak_rss_bytes").Shown(row));
        Assert.Equal("decode tok/s", ResultSchema.Column("decode_tps_median").Title);
        Assert.Equal(("± sd", ""), (ResultSchema.Column("decode_tps_stddev").Title, ResultSchema.Column("decode_tps_stddev").Shown(row)));
        Assert.Equal(("case", "id"), (ResultSchema.Column("case_id").Title, ResultSchema.Column("case_id").Shown(row)));
        Assert.Equal(("n_launches", "1"), (ResultSchema.Column("n_launches").Title, ResultSchema.Column("n_launches").Shown(row)));
        Assert.Equal((null, "id"), (ResultSchema.Column("error").Key(row), ResultSchema.Column("case_id").Key(row)));
        Assert.Equal((true, false), (ResultSchema.Column("n_launches").IsNumber, ResultSchema.Column("case_id").IsNumber));
        Assert.Contains("case_id", Assert.Throws<ArgumentException>(() => ResultSchema.Column("speed")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_environment_takes_the_keys_of_one_and_the_rest_of_another()
    {
        RunEnvironment other = TestRuns.Environment with { MachineId = "other", CpuName = "other", OrtVersion = null };
        RunEnvironment merged = RunColumns.WithKeysOf(TestRuns.Environment, other);
        Assert.Equal(TestRuns.Environment with { CpuName = "other" }, merged);
        Assert.Equal(("other", null), (other.MachineId, other.OrtVersion));
    }

    [Fact]
    public void Only_a_sample_that_is_there_can_be_had()
    {
        SampleList list = new(TestRuns.Sample(TestRuns.Case, 1, 1), metrics: null) { TestRuns.Sample(TestRuns.Case, 1, 1) };
        Assert.Single(list);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => list[-1]);
    }

    private static string Invariant(double value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static T Read<T>(Cell<T> cell, string text)
    {
        Assert.True(cell.TryParse(Encoding.UTF8.GetBytes(text), new StringPool(), out T value), $"'{text}' is not {cell.Expected}");
        return value;
    }

    private static void AssertRefused<T>(Cell<T> cell, string text) =>
        Assert.False(cell.TryParse(Encoding.UTF8.GetBytes(text), new StringPool(), out _), $"'{text}' is {cell.Expected}");
}
