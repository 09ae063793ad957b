using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>Each test looks at a fresh process, because a process loads a library once.</summary>
public sealed class NativeLibrariesTests
{
    [Theory]
    [InlineData("onnxruntime", "libonnxruntime.so", true)]
    [InlineData("onnxruntime", "libonnxruntime.so.1", true)]
    [InlineData("onnxruntime", "libonnxruntime.1.24.4.dylib", true)]
    [InlineData("onnxruntime", "onnxruntime.dll", true)]
    [InlineData("onnxruntime", "ONNXRUNTIME.DLL", true)]
    [InlineData("onnxruntime", "libonnxruntime_providers_shared.so", false)]
    [InlineData("onnxruntime", "libonnxruntime-genai.so", false)]
    [InlineData("onnxruntime", "libonnxruntime.so1", false)]
    [InlineData("onnxruntime", "libonnxruntime.txt", false)]
    [InlineData("onnxruntime-genai", "libonnxruntime-genai.so", true)]
    public void A_librarys_files_are_known_by_name(string name, string file, bool expected) =>
        Assert.Equal(expected, NativeLibraries.IsFileOf(name, file));

    [Theory]
    [InlineData(ChildScenarios.UseOnnxRuntime)]
    [InlineData(ChildScenarios.ResolveOnnxRuntime)]
    public void The_runtime_folder_replaces_the_packaged_library(string scenario)
    {
        string folder = TestRuntime.Scratch("copied-" + scenario);
        string copy = Path.Combine(folder, TestRuntime.FileName("onnxruntime"));
        File.Copy(TestRuntime.PackagedOnnxRuntime, copy);

        string output = ChildProcess.Run(scenario, folder);

        Assert.Contains($" {copy}", output, StringComparison.Ordinal);
        Assert.DoesNotContain(TestRuntime.PackagedOnnxRuntime, output, StringComparison.Ordinal);
        if (OperatingSystem.IsLinux())
        {
            Assert.Contains($"maps {copy}", output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_versioned_file_name_serves_as_well()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only ELF libraries carry the version behind their name");
        string folder = TestRuntime.Scratch("versioned");
        File.CreateSymbolicLink(Path.Combine(folder, "libonnxruntime.so.1"), TestRuntime.PackagedOnnxRuntime);
        Assert.StartsWith("onnxruntime ", ChildProcess.Run(ChildScenarios.UseOnnxRuntime, folder), StringComparison.Ordinal);
    }

    [Fact]
    public void The_libraries_may_lie_in_several_folders()
    {
        TestRuntime.SkipWithoutGenAi();
        (string first, string second) = (TestRuntime.Scratch("several-ort"), TestRuntime.Scratch("several-genai"));
        string ort = CopyOf("onnxruntime", Path.Combine(first, TestRuntime.FileName("onnxruntime")));
        string genAi = CopyOf("onnxruntime-genai", Path.Combine(second, TestRuntime.FileName("onnxruntime-genai")));

        string output = ChildProcess.Run(ChildScenarios.AskForGenAi, first + Path.PathSeparator + second);

        Assert.StartsWith("available", output, StringComparison.Ordinal);
        Assert.Contains($" {ort}", output, StringComparison.Ordinal);
        // Windows's files say their version.
        Assert.Matches($"onnxruntime-genai [0-9.]* {Regex.Escape(genAi)}", output);
    }

    [Fact]
    public void A_pythons_site_packages_serves_and_tells_the_version_of_its_wheel()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the wheels of other systems name their libraries without a version");
        TestRuntime.SkipWithoutGenAi();
        string packages = TestRuntime.Scratch("site-packages");
        string ort = CopyOf("onnxruntime", Path.Combine(packages, "onnxruntime", "capi", "libonnxruntime.so.1.31.1"));
        string genAi = CopyOf("onnxruntime-genai", Path.Combine(packages, "onnxruntime_genai", "libonnxruntime-genai.so"));
        Directory.CreateDirectory(Path.Combine(packages, "onnxruntime_genai_cuda-0.17.0.dist-info"));

        string output = ChildProcess.Run(ChildScenarios.AskForGenAi, packages);

        Assert.Contains($" {ort}", output, StringComparison.Ordinal);
        Assert.Contains($"onnxruntime-genai 0.17.0 {genAi}", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_runtime_folder_the_packaged_library_is_loaded_and_tells_its_version()
    {
        string output = ChildProcess.Run(ChildScenarios.UseOnnxRuntime, runtimeFolder: null);
        Assert.Matches(
            $@"^onnxruntime 1\.\d+\.\d+ .*{System.Text.RegularExpressions.Regex.Escape(TestRuntime.FileName("onnxruntime"))}",
            output
        );
    }

    [Fact]
    public void A_runtime_folder_that_is_not_there_is_named() =>
        Assert.Equal("EngineException: the runtime folder /nowhere/at/all does not exist", UseUnixFolder("/nowhere/at/all"));

    [Fact]
    public void A_runtime_folder_without_the_library_is_named()
    {
        string folder = TestRuntime.Scratch("empty");
        Assert.StartsWith(
            $"EngineException: {folder} holds no {TestRuntime.FileName("onnxruntime")}",
            ChildProcess.Run(ChildScenarios.UseOnnxRuntime, folder),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_file_that_is_no_library_is_named_as_such()
    {
        string file = WithOnnxRuntimeFile("text", path => File.WriteAllText(path, "version https://git-lfs.github.com/spec/v1\n"));
        Assert.Equal(
            $"EngineException: {file} is not a native library",
            ChildProcess.Run(ChildScenarios.UseOnnxRuntime, Path.GetDirectoryName(file))
        );
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("pipe")]
    public void A_file_without_content_is_not_opened_for_a_pipe_waits_for_ever(string kind)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && kind == "pipe", "no named pipes among files");
        string file = WithOnnxRuntimeFile(
            $"no-content-{kind}",
            path =>
            {
                if (kind == "empty")
                {
                    File.WriteAllText(path, "");
                }
                else
                {
                    using var mkfifo = Process.Start("mkfifo", [path]);
                    mkfifo.WaitForExit();
                }
            }
        );
        Assert.Equal(
            $"EngineException: {file} is not a native library: it is empty, or no regular file",
            ChildProcess.Run(ChildScenarios.UseOnnxRuntime, Path.GetDirectoryName(file))
        );
    }

    [Fact]
    public void A_library_for_another_processor_is_named_as_such()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the header is patched in its ELF form");
        bool onArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        string file = WithOnnxRuntimeFile(
            "other-processor",
            path =>
            {
                byte[] library = File.ReadAllBytes(TestRuntime.PackagedOnnxRuntime);
                library[18] = (byte)(onArm ? 0x3E : 0xB7);
                File.WriteAllBytes(path, library);
            }
        );

        string output = ChildProcess.Run(ChildScenarios.UseOnnxRuntime, Path.GetDirectoryName(file));

        Assert.Equal(
            $"EngineException: {file} is a library for Linux {(onArm ? "X64" : "Arm64")}, and this process is Linux "
                + $"{RuntimeInformation.ProcessArchitecture}",
            output
        );
    }

    [Fact]
    public void A_library_of_another_kind_is_refused()
    {
        string other =
            OperatingSystem.IsWindows() ? "System.IO.Compression.Native.dll"
            : OperatingSystem.IsMacOS() ? "libSystem.Native.dylib"
            : "libSystem.Native.so";
        string file = WithOnnxRuntimeFile(
            "other-kind",
            path => File.Copy(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), other), path)
        );
        Assert.Equal(
            $"EngineException: {file} is not ONNX Runtime: it has no OrtGetApiBase",
            ChildProcess.Run(ChildScenarios.UseOnnxRuntime, Path.GetDirectoryName(file))
        );
    }

    [Fact]
    public void A_library_that_lacks_entry_points_is_named_with_its_version()
    {
        string scripted = TestRuntime.ScriptedGenAi();
        string file = WithOnnxRuntimeFile("old", path => File.Copy(scripted, path));
        Assert.StartsWith(
            $"EngineException: {file} is ONNX Runtime 1.2.3, which lacks entry points that this program calls (those of API 24); use 1.24",
            ChildProcess.Run(ChildScenarios.UseOnnxRuntime, Path.GetDirectoryName(file)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_library_of_another_version_than_the_native_set_has_is_named_with_both()
    {
        NativeLibraries.RequireOnnxRuntime();
        string packaged = NativeLibraries.OnnxRuntimeVersion!;

        Assert.Null(NativeLibraries.OtherThanPackaged("here/onnxruntime.so", packaged));
        Assert.SkipWhen(NativeLibraries.PackagedSet == "WinML", "the native set WinML says no version of ONNX Runtime");
        Assert.StartsWith(
            $"here/onnxruntime.so is ONNX Runtime 1.27.9, and the native set {NativeLibraries.PackagedSet} of this build has {packaged}:",
            NativeLibraries.OtherThanPackaged("here/onnxruntime.so", "1.27.9"),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("onnxruntime", "1.24.4", null)]
    [InlineData("onnxruntime", "1.31.1", null)]
    [InlineData("onnxruntime", "1.32.0", "newer than 1.31, the newest that this program was tried with")]
    [InlineData("onnxruntime-genai", "0.14.1", null)]
    [InlineData("onnxruntime-genai", "0.18.0", null)]
    [InlineData("onnxruntime-genai", "0.19.0-dev", "newer than 0.18, the newest that this program was tried with")]
    [InlineData("onnxruntime-genai", null, "it does not tell its version; every entry point that this program calls is there")]
    [InlineData("DirectML", "1.15.4", null)]
    public void A_library_that_nobody_tried_is_said_to_be_so(string name, string? version, string? note) =>
        Assert.Equal(note, LibraryIdentity.Note(name, version));

    [Fact]
    public void A_folder_that_is_named_too_late_is_an_error_of_the_program()
    {
        NativeLibraries.RequireOnnxRuntime();
        Assert.Throws<InvalidOperationException>(() => NativeLibraries.UseRuntimeFolders(["."]));
    }

    private static string CopyOf(string library, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(Path.Combine(AppContext.BaseDirectory, TestRuntime.FileName(library)), target);
        return target;
    }

    private static string WithOnnxRuntimeFile(string scratch, Action<string> write)
    {
        string file = Path.Combine(TestRuntime.Scratch(scratch), TestRuntime.FileName("onnxruntime"));
        write(file);
        return file;
    }

    private static string UseUnixFolder(string folder)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the path is a Unix path");
        return ChildProcess.Run(ChildScenarios.UseOnnxRuntime, folder);
    }
}
