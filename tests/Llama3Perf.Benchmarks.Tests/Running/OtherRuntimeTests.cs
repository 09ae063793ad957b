using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>One build, the packages' ONNX Runtime and another one by turns: every verb that loads a native library.</summary>
public sealed class OtherRuntimeTests : IDisposable
{
    /// <summary>Folder with another ONNX Runtime: the oldest that is supported is in npm's onnxruntime-node 1.24.3.</summary>
    private const string Variable = "LLAMA3PERF_TEST_RUNTIME_DIR";

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-runtime-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("probe")]
    [InlineData("inspect", "model")]
    [InlineData("generate", "--model", "model", "--engine", "ort", "--prompt", "pp8", "--max-length", "24")]
    [InlineData("generate", "--model", "model", "--engine", "genai", "--prompt", "pp8", "--max-length", "24")]
    [InlineData("verify", "model", "--engine", "genai", "--against-engine", "ort")]
    [InlineData("verify", "model", "--engine", "ort", "--against", "all-logits")]
    [InlineData("diagnose", "model", "--against", "all-logits")]
    [InlineData("quality", "--model", "checkpoint", "--text", "text.txt", "--precision", "fp32,int4", "--max-tokens", "40")]
    [InlineData("pairs", "--model", "model", "--prompt", "pp8", "--new-tokens", "8", "--pairs", "1")]
    [InlineData("pairs", "--overhead", "--model", "model", "--prompt", "pp8", "--new-tokens", "8", "--pairs", "1")]
    [InlineData("run", "--quick", "--model", "model", "--prompt", "pp8", "--isolation", "none")]
    [InlineData("run", "--quick", "--model", "model", "--prompt", "pp8", "--isolation", "process")]
    public void A_verb_works_with_both(params string[] arguments)
    {
        string other = Other();

        string ours = Succeed(arguments);
        string theirs = Succeed([.. arguments, "--runtime-dir", other]);

        if (arguments[0] == "generate")
        {
            Assert.Equal(TextOf(ours), TextOf(theirs));
        }
    }

    /// <summary>The oldest one has no KV cache of integers: refused by name, before a graph is loaded.</summary>
    [Theory]
    [InlineData("ort")]
    [InlineData("genai")]
    public void What_only_newer_ones_compute_is_refused_by_name(string engine)
    {
        string other = Other();
        string[] arguments =
        [
            "generate",
            "--model",
            "model",
            "--engine",
            engine,
            "--prompt",
            "pp8",
            "--max-length",
            "24",
            "--kv-type",
            "int8",
        ];
        Succeed(arguments);

        (int exitCode, string output, string error) = ProgramProcess.Run(_folder, [.. arguments, "--runtime-dir", other]);

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains("does not compute one: 1.27 or newer", output + error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_says_which_it_was()
    {
        string other = Other();
        string[] arguments = ["run", "--quick", "--engine", "ort", "--model", "model", "--prompt", "pp8", "--isolation", "none"];

        Succeed([.. arguments, "--output", "ours"]);
        Succeed([.. arguments, "--runtime-dir", other, "--output", "theirs"]);

        string?[] versions =
        [
            .. new[] { "ours", "theirs" }.Select(run => RunReader.Read(Path.Combine(_folder, run)).Single().Environment.OrtVersion),
        ];
        Assert.All(versions, Assert.NotNull);
        Assert.NotEqual(versions[0], versions[1]);
    }

    [Fact]
    public void Both_are_sides_of_a_comparison()
    {
        string other = Other();

        (int exitCode, string output, string error) = ProgramProcess.Run(
            _folder,
            ["ab", "--baseline-runtime-dir", other, "--engine", "ort", "--model", "model", "--prompt", "pp8", "--budget", "1"]
        );

        Assert.True(exitCode is 0 or 1 or 3, output + error);
        Assert.Contains("decode_tps", output, StringComparison.Ordinal);
    }

    // Made by the program too: build and checkpoint load no native library, whichever is named.
    private string Other()
    {
        string? other = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(other), $"{Variable} names no folder with another ONNX Runtime");
        File.WriteAllText(Path.Combine(_folder, "text.txt"), string.Concat(Enumerable.Repeat("Tokens per second. ", 20)));
        // In fp32: int4 products round differently in 1.24 and 1.31, and random weights decide by less than that.
        Succeed("build", "--model", "llama-tiny", "--precision", "fp32", "--output", "model");
        Succeed("build", "--model", "llama-tiny", "--precision", "fp32", "--all-logits", "--output", "all-logits");
        Succeed("checkpoint", "--model", "llama-tiny", "--output", "checkpoint");
        return Path.GetFullPath(other!);
    }

    private string Succeed(params string[] arguments)
    {
        (int exitCode, string output, string error) = ProgramProcess.Run(_folder, arguments);
        Assert.True(exitCode == ExitCode.Success, $"{string.Join(' ', arguments)}: exit code {exitCode}\n{output}{error}");
        return output;
    }

    // The line with the times, which stand last, differs.
    private static string TextOf(string output) => string.Join('\n', output.TrimEnd().Split('\n')[..^1]);
}
