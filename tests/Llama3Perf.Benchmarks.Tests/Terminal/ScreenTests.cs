using CsCheck;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Terminal;

public sealed class ScreenTests
{
    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(88.2, "89 s")]
    [InlineData(80, "80 s")]
    [InlineData(95, "1 min 30 s")]
    [InlineData(601, "10 min")]
    [InlineData(7260, "2 h 1 min")]
    public void Times_are_said_as_people_say_them(double seconds, string text) => Assert.Equal(text, Plain.Duration(seconds));

    [Theory]
    [InlineData(1, "1 launch")]
    [InlineData(2, "2 launches")]
    public void One_is_not_several(int count, string text) => Assert.Equal(text, Plain.Counted(count, "launch", "launches"));

    [Fact]
    public void A_live_line_fits_its_terminal_and_leaves_out_whole_parts()
    {
        string[] parts = ["[2/4] int4 pp512  launch 1 of 3", "247.2 tok/s", "1 min 20 s left", "generation 3 of 5"];

        Assert.Equal(string.Join("  ", parts), LiveLine.Fit(parts, 200));
        Assert.Equal("[2/4] int4 pp512  launch 1 of 3  247.2 tok/s", LiveLine.Fit(parts, 50));
        Gen.Int[8, 100].Sample(width => LiveLine.Fit(parts, width).Length <= width);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.52, 10)]
    [InlineData(1, 20)]
    [InlineData(1.5, 20)]
    public void A_bar_is_as_long_whatever_is_done(double share, int filled) =>
        Assert.Equal(new string('█', filled) + new string('░', 20 - filled), LiveLine.Bar(share));

    [Fact]
    public void Lines_break_between_words() =>
        Gen.String[Gen.Char.AlphaNumeric, 1, 20]
            .Array[1, 12]
            .Sample(words =>
                string.Join(' ', Screen.Break(string.Join(' ', words), 12)) == string.Join(' ', words)
                && Screen.Break(string.Join(' ', words), 12).All(line => line.Length <= 12 || !line.Contains(' '))
            );
}
