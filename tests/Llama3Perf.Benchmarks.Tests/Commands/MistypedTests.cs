using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Commands;

[Collection(nameof(CliSession))]
public sealed class MistypedTests
{
    [Theory]
    [InlineData("comapre a b", "'comapre' is no verb (did you mean compare?); there are run, build")]
    [InlineData("--quick vreify", "'vreify' is no verb (did you mean verify?)")]
    [InlineData("run xyzzy", "'xyzzy' is no verb; there are")]
    [InlineData("--precison int4", "--precison: neither our option nor BenchmarkDotNet's (did you mean --precision?)")]
    [InlineData("--fliter x", "--fliter: neither our option nor BenchmarkDotNet's (did you mean --filter?)")]
    [InlineData("gate --baselin x", "(did you mean --baseline?)")]
    [InlineData("compare --vry x", "--vry: compare has no such option (did you mean --vary?)")]
    [InlineData("--precision int44", "'int44' is unknown (did you mean int4?)")]
    [InlineData("--model llama-3.2-2b", "'llama-3.2-2b' is no path and no known shape; use")]
    [InlineData("--model lama-3-8b", "(did you mean llama-3-8b?)")]
    [InlineData("--runtime-dir no-such-folder --quick", "--runtime-dir: there is no folder no-such-folder")]
    public void What_was_meant_is_asked_and_nothing_is_measured(string line, string expected)
    {
        (int exitCode, string output, string error) = CliSession.Run(line.Split(' '));

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Empty(output);
    }

    [Theory]
    [InlineData("comapre", "compare")]
    [InlineData("COMPARE", "compare")]
    [InlineData("gaet", "gate")]
    [InlineData("x", null)]
    [InlineData("reprot", "report")]
    public void The_nearest_word_is_found(string typed, string? meant) =>
        Assert.Equal(meant, DidYouMean.Nearest(typed, ["compare", "gate", "report"]));

    [Fact]
    public void Of_two_equally_near_words_neither_is_guessed() => Assert.Null(DidYouMean.Nearest("int3", ["int4", "int8"]));
}
