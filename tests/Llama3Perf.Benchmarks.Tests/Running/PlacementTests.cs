using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Planning;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Running;

/// <summary>A model that does not run where it was to: the scripted onnxruntime-genai says that its models are on CUDA.</summary>
public sealed class PlacementTests : IDisposable
{
    private const string Reason = "onnxruntime-genai placed the model on CUDA, not on CPU";

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-placement-").FullName;

    public PlacementTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the library's file name is Linux's");
        string? why = NativeCompiler.ScriptedGenAi(Path.Combine(_folder, "libonnxruntime-genai.so"));
        Assert.SkipWhen(why is not null, why ?? "");
        string real = Directory.EnumerateFiles(AppContext.BaseDirectory, "libonnxruntime.so", SearchOption.AllDirectories).First();
        File.CreateSymbolicLink(Path.Combine(_folder, "libonnxruntime.so"), real);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Fails_before_anything_is_timed()
    {
        (int exitCode, string output, _) = Program(
            "run",
            "--engine",
            "genai",
            "--verify",
            "off",
            "--isolation",
            "none",
            "--model",
            "llama-tiny",
            "--prompt",
            "pp8",
            "--max-length",
            "16",
            "--launches",
            "1",
            "--output",
            "run"
        );

        Assert.Equal(ExitCode.Failed, exitCode);
        CaseOutcome outcome = RunReader.Read(Path.Combine(_folder, "run")).Single().Cases.Single();
        Assert.Equal((CaseStatus.Failed, 0), (outcome.Status, outcome.Samples.Count));
        Assert.Contains(Reason, outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("iteration 1", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Is_not_verified()
    {
        (int exitCode, _, string error) = Program(
            "verify",
            ScriptedFamily.TinyFolder.Path,
            "--engine",
            "genai",
            "--against-engine",
            "ort",
            "--prompt",
            "pp4"
        );

        Assert.Equal((ExitCode.Input, $"error: {Reason}\n"), (exitCode, error));
    }

    private (int ExitCode, string Output, string Error) Program(params string[] arguments) =>
        ProgramProcess.Run(_folder, [.. arguments, "--provider", "cpu", "--runtime-dir", _folder], ("LLAMA3PERF_FAKE_DEVICE_TYPE", "CUDA"));
}
