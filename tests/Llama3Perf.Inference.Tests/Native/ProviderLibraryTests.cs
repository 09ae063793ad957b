using System.Diagnostics;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>What names a provider's library on the command line, what follows from the name, and what becomes of a library that brings
/// nothing. Each one is registered in a fresh process.</summary>
public sealed class ProviderLibraryTests
{
    [Theory]
    [InlineData("WebGPU", "is not of the form name=path")]
    [InlineData("=x.so", "is not of the form name=path")]
    [InlineData("a b=x.so", "is not of the form name=path")]
    [InlineData("x=nowhere.so", "nowhere.so does not exist")]
    public void What_names_no_library_is_refused(string text, string reason) =>
        Assert.Contains(reason, Assert.Throws<EngineException>(() => ProviderLibrary.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("WebGPU", GraphTarget.WebGpu)]
    [InlineData("NvTensorRTRTX", GraphTarget.Cuda)]
    [InlineData("my-cuda", GraphTarget.Cuda)]
    [InlineData("OpenVINO", GraphTarget.Cpu)]
    public void The_form_of_graphs_follows_the_name(string name, GraphTarget target)
    {
        var library = ProviderLibrary.Parse($"{name}={typeof(ProviderLibraryTests).Assembly.Location}");
        Assert.Equal((name, typeof(ProviderLibraryTests).Assembly.Location), (library.Name, library.Path));
        Assert.Equal(target, library.Target);
    }

    [Fact]
    public void A_file_that_is_no_library_is_named_and_everything_else_goes_on()
    {
        string file = Path.Combine(TestRuntime.Scratch("plugin-text"), TestRuntime.FileName("onnxruntime_providers_some"));
        File.WriteAllText(file, "version https://git-lfs.github.com/spec/v1\n");

        string[] lines = Ask(new ProviderLibrary("some", file));

        Assert.Matches($@"^ONNX Runtime 1\.\d+\.\d+ does not register {System.Text.RegularExpressions.Regex.Escape(file)}: ", lines[0]);
        Assert.Contains("CPUExecutionProvider:CPU", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("some unknown version sha256:", lines[2], StringComparison.Ordinal);
    }

    /// <summary>The WebGPU plug-in registers everywhere and has a device where ONNX Runtime sees a GPU on PCI.</summary>
    [Fact]
    public void A_real_library_without_a_device_here_says_so_and_what_is_here()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the plug-in is one for Linux");
        string packed = Fixtures.SharedGpu("libonnxruntime_providers_webgpu.so.xz");
        Assert.SkipUnless(File.Exists(packed), $"there is no {packed}");
        string file = Path.Combine(TestRuntime.Scratch("plugin-webgpu"), "libonnxruntime_providers_webgpu.so");
        Unpack(packed, file);

        string[] lines = Ask(new ProviderLibrary("WebGPU", file));

        Assert.SkipWhen(lines[0] == "available", "there is a GPU here");
        Assert.SkipWhen(lines[0].Contains("libvulkan", StringComparison.Ordinal), "the plug-in wants a Vulkan loader");
        Assert.StartsWith(
            $"WebGPU ({file}) is registered and has no device here: ONNX Runtime lists CPU ",
            lines[0],
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("WebGpu", lines[1], StringComparison.OrdinalIgnoreCase);
    }

    private static string[] Ask(ProviderLibrary library) =>
        ChildProcess.Run(ChildScenarios.AskForPlugin, runtimeFolder: null, provider: library).Split('\n', StringSplitOptions.TrimEntries);

    private static void Unpack(string packed, string file)
    {
        using var xz = Process.Start(
            new ProcessStartInfo("sh", ["-c", "xz -dc \"$0\" > \"$1\"", packed, file]) { UseShellExecute = false }
        )!;
        xz.WaitForExit();
        Assert.SkipUnless(xz.ExitCode == 0, "no xz here");
    }
}
