using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>GGUF files as a user makes them, and the two runtimes over the same numbers.</summary>
[Collection(nameof(CliSession))]
public sealed class GgufVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-gguf-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_file_is_built_or_converted_and_its_answers_are_those_of_the_folder()
    {
        (int built, string ofShape, string buildError) = CliSession.Run(
            "build",
            "--model",
            "llama-tiny",
            "--format",
            "gguf",
            "--output",
            At("built")
        );
        (int folder, _, string folderError) = CliSession.Run("build", "--model", "llama-tiny", "--output", At("onnx"));
        (int converted, string ofFolder, string convertError) = CliSession.Run(
            "convert",
            At("onnx"),
            "--to",
            "gguf",
            "--output",
            At("converted")
        );

        Assert.Equal((ExitCode.Success, ""), (built, buildError));
        Assert.Equal((ExitCode.Success, ""), (folder, folderError));
        Assert.Equal((ExitCode.Success, ""), (converted, convertError));
        Assert.Matches(@"\d+ of \d+ quantization scales were rounded to float16", ofShape);
        Assert.Matches(@"\d+ of \d+ quantization scales were rounded to float16", ofFolder);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(At("built"), "model.gguf")),
            File.ReadAllBytes(Path.Combine(At("converted"), "model.gguf"))
        );

        (int verified, string answers, string verifyError) = CliSession.Run(
            "verify",
            At("onnx"),
            "--engine",
            "ort",
            "--against-engine",
            "llama.cpp"
        );

        Assert.Equal((ExitCode.Success, ""), (verified, verifyError));
        Assert.Contains("round activations differently: what differs within the limits is a finding", answers, StringComparison.Ordinal);
        Assert.Contains("PASS: ", answers, StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(_folder, name);
}
