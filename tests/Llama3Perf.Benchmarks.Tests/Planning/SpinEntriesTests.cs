using Llama3Perf.Benchmarks.Commands;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Tests.Planning;

public sealed class SpinEntriesTests
{
    [Theory]
    [InlineData("on", "session.intra_op.allow_spinning=1")]
    [InlineData("off", "session.intra_op.allow_spinning=0")]
    [InlineData("1000", "session.intra_op.spin_duration_us=1000")]
    public void A_value_is_session_entries(string spin, string expected) =>
        Assert.Equal(expected, string.Join(' ', SpinEntries.Of(OptionFactory.Spin(spin)).Select(entry => $"{entry.Key}={entry.Value}")));

    [Fact]
    public void Entries_that_were_given_go_before()
    {
        Dictionary<string, string> other = new() { ["session.disable_prepacking"] = "1" };
        Dictionary<string, string> own = new() { [SpinEntries.AllowSpinning] = "1" };

        Assert.Same(other, SpinEntries.Over(null, other));
        Assert.Equal(2, SpinEntries.Over("off", other).Count);
        Assert.Same(own, SpinEntries.Over(SpinEntries.Usual, own));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("50", null)]
    [InlineData("on", "session:session.intra_op.allow_spinning=1")]
    [InlineData("off", "session:session.intra_op.allow_spinning=0")]
    [InlineData("1000", "session:session.intra_op.spin_duration_us=1000")]
    public void What_is_not_the_usual_stands_in_the_engine_options(string? spin, string? expected)
    {
        PlanContext context = new(new SuiteOptions { Spin = spin }, new MachineInfo(), new ModelPreparation("models"));

        EngineOptions ort = context.EngineOptions("ort", ExecutionProvider.Cpu);

        Assert.Equal(expected, OptionsText.Of(ort));
        Assert.Equal(spin is null or "50", ort.SessionEntries.Any(SpinEntries.IsUsual));
        Assert.Equal(spin is null, context.EngineOptions("genai", ExecutionProvider.Cuda).SessionEntries.Count == 0);
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
