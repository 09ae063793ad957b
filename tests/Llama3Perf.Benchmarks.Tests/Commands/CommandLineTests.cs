using CsCheck;
using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Commands;

[Collection(nameof(CliSession))]
public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-cli-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("--precision int5", "'int5' is unknown; use fp32, fp16, int8, int4, bf16")]
    [InlineData("--precision int4,,int8", "'' is unknown")]
    [InlineData("--provider opencl", "'opencl' is unknown; use cpu, dml, cuda, webgpu")]
    [InlineData("--engine vllm", "'vllm' is unknown")]
    [InlineData("--block-size 48", "'48' is unknown")]
    [InlineData("--threads zero", "'zero' is not a whole number")]
    [InlineData("--threads 0", "'0' is not a whole number")]
    [InlineData("--iterations 99999999999999999999", "is not a whole number")]
    [InlineData("--isolation container", "'container' is unknown")]
    [InlineData("--chat-template alpaca", "alpaca")]
    [InlineData("--max-length 1", "'1' is not a whole number from 2 up")]
    [InlineData("--provider-option device_id", "'device_id' is not of the form key=value")]
    [InlineData("--model llama-9b", "llama-9b")]
    [InlineData("--until 0%", "nothing is known within 0 %")]
    [InlineData("--until 1% --launches 3", "--until and --launches")]
    [InlineData("--budget 5m", "--budget goes with --until")]
    [InlineData("--until 1% --budget 5x", "'5x' is no time from 1s to 24h")]
    [InlineData("--order random --isolation none", "--order random goes with --isolation process")]
    [InlineData("--seed -1", "'-1' is not a whole number")]
    [InlineData("--nonsense", "--nonsense")]
    [InlineData("--threads", "--threads")]
    [InlineData("build --precision int4,int8", "'int4,int8' is unknown")]
    [InlineData("build --nonsense", "--nonsense")]
    public void A_wrong_word_is_one_line_that_names_it(string line, string expected)
    {
        (int exitCode, string output, string error) = CliSession.Run($"{line} --output {_folder}/run".Split(' '));

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public void Several_numbers_of_threads_are_for_run_alone()
    {
        (int exitCode, _, string error) = CliSession.Run("generate", "--model", "llama-tiny", "--threads", "1,2");

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.StartsWith("error: --threads: one number here", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_names_every_option_with_its_default()
    {
        (int exitCode, string output, _) = CliSession.Run("--help");

        Assert.Equal(0, exitCode);
        foreach (
            string option in (string[])
                [
                    "--model",
                    "--precision",
                    "--block-size",
                    "--provider",
                    "--engine",
                    "--prompt",
                    "--chat-template",
                    "--max-length",
                    "--threads",
                    "--launches",
                    "--warmup",
                    "--iterations",
                    "--isolation",
                    "--cooldown",
                    "--quick",
                    "--output",
                    "--runtime-dir",
                ]
        )
        {
            Assert.Contains(option, output, StringComparison.Ordinal);
        }

        Assert.Contains("Default: 3", output, StringComparison.Ordinal);
    }

    [Fact]
    public void BenchmarkDotNets_own_options_keep_working()
    {
        (int exitCode, string output, _) = CliSession.Run("--list", "flat");

        Assert.Equal(0, exitCode);
        Assert.Contains("Llama3Perf.Benchmarks.Jobs.GenerationBenchmarks.Generate", output, StringComparison.Ordinal);
        Assert.Contains("Llama3Perf.Benchmarks.Jobs.ModelBuildBenchmarks.WholeBuild", output, StringComparison.Ordinal);
    }

    [Fact]
    public void No_command_line_brings_a_stack_trace() =>
        Gen.Select(Gen.OneOf("--precision", "--threads", "--prompt", "--max-length", "--nope", "build", "generate", "-x"), Gen.String)
            .Array[0, 4]
            .Sample(
                pairs =>
                {
                    // --list keeps a line that happens to be right from measuring something.
                    string[] arguments = [.. pairs.SelectMany(pair => new[] { pair.Item1, pair.Item2 }), "--launches", "none"];
                    (int exitCode, string output, string error) = CliSession.Run(arguments);
                    // A text that begins with -h or -? asks for help.
                    bool isHelp = output.StartsWith("Description:", StringComparison.Ordinal);
                    return (exitCode != 0 || isHelp) && !(output + error).Contains("   at ", StringComparison.Ordinal);
                },
                iter: 60,
                threads: 1
            );
}
