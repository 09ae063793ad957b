using System.Text;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>The libraries' telemetry client stays off; it would keep a device id and a database below the home folder, and
/// upload.</summary>
public sealed class TelemetryTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("l3p-home-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public void A_generation_leaves_nothing_in_the_home_folder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only the Linux packages keep files");
        Assert.SkipUnless(
            HoldsClient(TestRuntime.PackagedOnnxRuntime),
            $"{TestRuntime.PackagedOnnxRuntime} has no telemetry client that keeps files"
        );

        string output = ChildProcess.Run(ChildScenarios.GenerateOneToken, runtimeFolder: null, _home);

        Assert.Equal($"{Telemetry.OffVariable}=1\ngetenv=1", output);
        Assert.Equal(["model"], Directory.EnumerateFileSystemEntries(_home).Select(Path.GetFileName));
    }

    [Fact]
    public void This_test_process_has_it_off_too() => Assert.Equal("1", Environment.GetEnvironmentVariable(Telemetry.OffVariable));

    // The folder's name stands in the library that makes it.
    private static bool HoldsClient(string library) =>
        File.ReadAllBytes(library).AsSpan().IndexOf(Encoding.ASCII.GetBytes("Microsoft/DeveloperTools/.onnxruntime")) >= 0;
}
