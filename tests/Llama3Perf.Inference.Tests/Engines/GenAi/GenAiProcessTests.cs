using System.Runtime.InteropServices;
using Llama3Perf.Inference.Tests.Native;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>What a process with onnxruntime-genai does at its start and at its end.</summary>
public sealed class GenAiProcessTests
{
    [Fact]
    public void The_library_is_shut_down_once_and_after_an_engine_that_nobody_disposed()
    {
        string folder = FolderWithScripted("left-open");
        Assert.Equal(
            $"token {((3 * 31) + 4) % 1000}{Environment.NewLine}OgaShutdown with 0 live",
            ChildProcess.Run(ChildScenarios.LeaveEngineOpen, folder)
        );
    }

    [Fact]
    public void Both_libraries_are_loaded_from_the_runtime_folder()
    {
        string folder = FolderWithScripted("both");
        string output = ChildProcess.Run(ChildScenarios.AskForGenAi, folder);
        Assert.StartsWith("available", output, StringComparison.Ordinal);
        Assert.Contains(
            $"onnxruntime-genai  {Path.Combine(folder, TestRuntime.FileName("onnxruntime-genai"))}",
            output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Without_onnxruntime_the_genai_library_is_not_touched()
    {
        TestRuntime.SkipWithoutGenAi();
        string folder = TestRuntime.Scratch("genai-alone");
        string file = TestRuntime.FileName("onnxruntime-genai");
        File.Copy(Path.Combine(AppContext.BaseDirectory, file), Path.Combine(folder, file));

        string[] lines = ChildProcess.Run(ChildScenarios.AskForGenAi, folder).Split(Environment.NewLine);

        Assert.Equal(
            $"{folder} holds no {TestRuntime.FileName("onnxruntime")}; --runtime-dir needs a folder with a native ONNX Runtime, or a "
                + "Python's site-packages",
            lines[0]
        );
        // On Windows DirectML is loaded before the others are looked for.
        Assert.All(lines.Skip(1), line => Assert.StartsWith("DirectML ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void A_library_without_the_entry_points_is_refused_by_the_first_that_it_lacks()
    {
        string other =
            OperatingSystem.IsWindows() ? "System.IO.Compression.Native.dll"
            : OperatingSystem.IsMacOS() ? "libSystem.Native.dylib"
            : "libSystem.Native.so";
        string folder = TestRuntime.Scratch("old-genai");
        TestRuntime.LinkOnnxRuntime(folder);
        string file = Path.Combine(folder, TestRuntime.FileName("onnxruntime-genai"));
        File.Copy(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), other), file);
        Assert.Matches(
            $"^{System.Text.RegularExpressions.Regex.Escape(file)} has no Oga[A-Za-z_]+: it is older than onnxruntime-genai 0.14.1, or not "
                + "onnxruntime-genai",
            ChildProcess.Run(ChildScenarios.AskForGenAi, folder)
        );
    }

    private static string FolderWithScripted(string name)
    {
        string library = TestRuntime.ScriptedGenAi();
        string folder = TestRuntime.Scratch(name);
        TestRuntime.LinkOnnxRuntime(folder);
        File.Copy(library, Path.Combine(folder, TestRuntime.FileName("onnxruntime-genai")));
        return folder;
    }
}
