using Llama3Perf.Benchmarks.Commands;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Planning;

public sealed class SpinEntriesTests
{
    [Theory]
    [InlineData("on", "session.intra_op.allow_spinning=1")]
    [InlineData("off", "session.intra_op.allow_spinning=0")]
    [InlineData("1000", "session.intra_op.allow_spinning=1 session.intra_op.spin_duration_us=1000")]
    public void A_value_is_session_entries(string spin, string expected) =>
        Assert.Equal(expected, string.Join(' ', SpinEntries.Of(OptionFactory.Spin(spin)).Select(entry => $"{entry.Key}={entry.Value}")));

    [Fact]
    public void Without_it_the_entries_stay_as_they_are()
    {
        Dictionary<string, string> entries = new() { ["session.disable_prepacking"] = "1" };

        Assert.Same(entries, SpinEntries.Over(null, entries));
        Assert.Equal(2, SpinEntries.Over("off", entries).Count);
    }

    [Theory]
    [InlineData("maybe")]
    [InlineData("0")]
    [InlineData("-5")]
    public void Other_values_are_refused(string text) => Assert.Throws<UsageException>(() => OptionFactory.Spin(text));

    [Theory]
    [InlineData("90s", 90)]
    [InlineData("5m", 300)]
    [InlineData("1.5h", 5400)]
    public void Times_have_a_unit(string text, double seconds) => Assert.Equal(seconds, OptionFactory.Duration(text).TotalSeconds);

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("0s")]
    [InlineData("48h")]
    public void Times_without_one_are_refused(string text) => Assert.Throws<UsageException>(() => OptionFactory.Duration(text));
}
