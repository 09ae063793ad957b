using Llama3Perf.Benchmarks.Terminal;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>
/// Native code has a way to the console of its own, which takes time while the clock runs: what it writes is seen where it is loaded
/// into the program itself, whose streams are pipes here.
/// </summary>
public sealed class NativeOutputTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-native-output-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Native_code_of_no_engine_writes_a_byte_while_it_is_measured()
    {
        (int exitCode, string output, string error) = ProgramProcess.Run(
            _folder,
            [
                "--quick",
                "--isolation",
                "none",
                "--model",
                "llama-tiny",
                "--prompt",
                "pp8",
                "--max-length",
                "16",
                "--iterations",
                "2",
                "--output",
                "run",
            ]
        );

        Assert.Equal((ExitCode.Success, 0), (exitCode, error.Length));
        // The suite's own lines are plain ones in a pipe; libraries tag theirs with a severity, a source file or a colour.
        string[] foreign = ["\u001b", "[W:", "[E:", "[I:", "onnxruntime.cc", "onnxruntime::", "llama_", "ggml", "genai ["];
        Assert.DoesNotContain(foreign, mark => output.Contains(mark, StringComparison.OrdinalIgnoreCase));
    }
}
