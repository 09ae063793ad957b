using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>The precision ladder and the diagnosis as verbs.</summary>
[Collection(nameof(CliSession))]
public sealed class QualityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-quality-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_ladder_has_a_table_and_a_chart_and_says_that_random_weights_mean_nothing()
    {
        string text = At("text.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Repeat("The suite measures tokens per second. ", 20)));
        string output = At("ladder");

        (int exitCode, string shown, string error) = CliSession.Run(
            "quality",
            "--model",
            CheckpointFolder.Write(At("checkpoint")),
            "--text",
            text,
            "--precision",
            "fp32,int8,int4",
            "--block-size",
            "32",
            "--kv-type",
            "int8",
            "--max-tokens",
            "40",
            "--threads",
            "1",
            "--output",
            output
        );

        Assert.Equal(("", ExitCode.Success), (error, exitCode));
        Assert.Contains("perplexity and divergence mean nothing", shown, StringComparison.Ordinal);
        string markdown = File.ReadAllText(Path.Combine(output, "quality.md"));
        string chart = File.ReadAllText(Path.Combine(output, "quality.svg"));
        foreach (string name in (string[])["fp32", "fp32, KV int8", "int8 b32", "int8 b32, KV int8", "int4 b32", "int4 b32, KV int8"])
        {
            Assert.Contains($"| {name} ", markdown, StringComparison.Ordinal);
            Assert.Contains($"{name}: perplexity ", chart, StringComparison.Ordinal);
        }

        Assert.Contains("| reference |", markdown, StringComparison.Ordinal);
        Assert.Contains("mean nothing", markdown, StringComparison.Ordinal);
        Assert.Equal(2, Directory.GetFiles(output).Length);
    }

    [Theory]
    [InlineData(ExitCode.Usage, "--precision", "--model", "llama-tiny", "--text", "x", "--precision", "int4")]
    [InlineData(ExitCode.Input, "nowhere.txt", "--model", "llama-tiny", "--text", "nowhere.txt")]
    [InlineData(ExitCode.Usage, "--text", "--model", "llama-tiny")]
    public void What_cannot_be_used_is_one_line(int expected, string part, params string[] arguments)
    {
        (int exitCode, _, string error) = CliSession.Run(["quality", .. arguments]);

        Assert.Equal(expected, exitCode);
        Assert.Contains(part, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void Two_forms_of_one_checkpoint_agree_and_two_checkpoints_depart()
    {
        string checkpoint = CheckpointFolder.Write(At("checkpoint"));
        string standard = Build(checkpoint, "cpu"),
            directML = Build(checkpoint, "dml");

        (int exitCode, string output, _) = CliSession.Run("diagnose", directML, "--against", standard, "--threads", "1");
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains("AGREES: ", output, StringComparison.Ordinal);

        string other = At("other");
        Assert.Equal(ExitCode.Success, CliSession.Run("build", "--model", checkpoint, "--precision", "int4", "--output", other).ExitCode);
        (exitCode, output, _) = CliSession.Run("diagnose", other, "--against", standard, "--max-difference", "0.01%", "--threads", "1");
        Assert.Equal(ExitCode.Failed, exitCode);
        Assert.Contains("DEPARTS: ", output, StringComparison.Ordinal);

        (exitCode, _, string error) = CliSession.Run("diagnose", standard);
        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains("needs two sides", error, StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private string Build(string checkpoint, string provider)
    {
        string output = At(provider);
        Assert.Equal(
            ExitCode.Success,
            CliSession.Run("build", "--model", checkpoint, "--precision", "fp32", "--provider", provider, "--output", output).ExitCode
        );
        return output;
    }
}
