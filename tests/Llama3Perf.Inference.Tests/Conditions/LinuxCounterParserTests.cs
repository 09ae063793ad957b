using CsCheck;
using Llama3Perf.Inference.Conditions;

namespace Llama3Perf.Inference.Tests.Conditions;

public sealed class LinuxCounterParserTests
{
    // Printed by a virtual machine with two processors.
    private const string Stat = """
        cpu  61875 22734 20148 101876 630 0 220 473 0 0
        cpu0 31253 9941 9499 52832 143 0 16 248 0 0
        cpu1 30621 12793 10648 49043 486 0 204 224 0 0
        intr 889620 0 0 0
        ctxt 2807782
        btime 1795742123
        """;

    private const string Pressure = """
        some avg10=97.34 avg60=58.70 avg300=42.83 total=372753287
        full avg10=0.00 avg60=0.00 avg300=0.00 total=0
        """;

    [Fact]
    public void Processor_lines_are_summed_without_the_line_of_all() =>
        Assert.Equal(
            new ProcessorTimes(10.0 * (31253 + 9941 + 9499 + 16 + 30621 + 12793 + 10648 + 204), 4720, 10.0 * (103932 + 104019), 2),
            LinuxCounterParser.Processors(Stat, null)
        );

    [Fact]
    public void Only_processors_that_the_process_may_use_count() =>
        Assert.Equal(
            new ProcessorTimes(10.0 * (30621 + 12793 + 10648 + 204), 2240, 10.0 * 104019, 1),
            LinuxCounterParser.Processors(Stat, new HashSet<int> { 1, 7 })
        );

    [Fact]
    public void Pressure_is_the_total_of_some_in_microseconds() => Assert.Equal(372753.287, LinuxCounterParser.PressureMs(Pressure));

    [Fact]
    public void Uptime_is_the_first_number() => Assert.Equal(1381000, LinuxCounterParser.UptimeMs("1381.00 1064.86"));

    [Fact]
    public void A_process_is_read_whatever_its_name_holds() =>
        Assert.Equal(
            new ProcessCounters(31183, 10 * (250 + 40), 10 * (7 + 3), 12 + 5),
            LinuxCounterParser.Process(
                "31188 (a) R (1 2 3) R 31183 31183 28501 0 -1 4194304 99 0 12 5 250 40 7 3 20 0 1 0 104342 3133440 390"
            )
        );

    [Theory]
    [InlineData("")]
    [InlineData("cpu0 1 2 3")]
    [InlineData("cpux 1 2 3 4 5 6 7 8")]
    [InlineData("no such thing")]
    public void Text_of_another_form_is_unknown(string text)
    {
        Assert.Null(LinuxCounterParser.Processors(text, null));
        Assert.Null(LinuxCounterParser.PressureMs(text));
        Assert.Null(LinuxCounterParser.UptimeMs(text));
        Assert.Null(LinuxCounterParser.Process(text));
    }

    [Fact]
    public void No_text_makes_a_parser_throw() =>
        Gen.Select(
                Gen.OneOf(Gen.Const(Stat), Gen.Const(Pressure), Gen.Const("1 (x) R 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6"), Gen.Const("")),
                Gen.String,
                Gen.Int[0, 200],
                Gen.Int[0, 50]
            )
            .Sample(
                (text, noise, at, length) =>
                {
                    int start = Math.Min(at, text.Length);
                    string damaged = text[..start] + noise + text[Math.Min(start + length, text.Length)..];
                    LinuxCounterParser.Processors(damaged, null);
                    LinuxCounterParser.PressureMs(damaged);
                    LinuxCounterParser.UptimeMs(damaged);
                    LinuxCounterParser.Process(damaged);
                }
            );
}
