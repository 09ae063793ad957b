using System.Runtime.CompilerServices;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>
/// The native libraries of this test process: those that the build's packages brought, as in a measuring process. Child processes get
/// folders of their own.
/// </summary>
internal static class TestRuntime
{
    public const string ChildVariable = "LLAMA3PERF_TEST_CHILD";

    private static readonly Lazy<string> s_scratch = new(() => Directory.CreateTempSubdirectory("llama3perf-native-").FullName);
    private static readonly Lazy<(string? Library, string? Problem)> s_scripted = new(() =>
    {
        string library = Path.Combine(Scratch("scripted"), FileName("onnxruntime-genai"));
        string? problem = NativeCompiler.ScriptedGenAi(library);
        return (problem is null ? library : null, problem);
    });

    /// <summary>The scripted onnxruntime-genai, for a child process; skips the test where it cannot be had.</summary>
    public static string ScriptedGenAi()
    {
        Assert.SkipWhen(s_scripted.Value.Library is null, s_scripted.Value.Problem ?? "");
        return s_scripted.Value.Library!;
    }

    /// <summary>True where the build's native set has onnxruntime-genai.</summary>
    public static bool HasGenAi => GenAiRuntime.Kind.Availability(ExecutionProvider.Cpu).IsAvailable;

    /// <summary>Skips a test where the build's native set has no onnxruntime-genai; fails it where the library is there and
    /// broken.</summary>
    public static void SkipWithoutGenAi()
    {
        Assert.SkipWhen(NativeLibraries.PackagedSet == "Cpu", "the native set Cpu has no onnxruntime-genai");
        Oga.RequireLibrary();
    }

    /// <summary>Skips a test where that library is older than speculative decoding, as the native set DirectML's is.</summary>
    public static void SkipWithoutSpeculation()
    {
        try
        {
            OgaSpeculation.Require();
        }
        catch (EngineException exception)
        {
            Assert.Skip(exception.Message);
        }
    }

    /// <summary>Skips a test where ONNX Runtime is older than KV caches of integers on the CPU.</summary>
    public static void SkipWithoutQuantizedCache()
    {
        NativeLibraries.RequireOnnxRuntime();
        Assert.SkipUnless(
            NativeLibraries.Offers(LibraryRules.CacheApiVersion),
            $"ONNX Runtime {NativeLibraries.OnnxRuntimeVersion} computes no KV cache of integers"
        );
    }

    /// <summary>A folder of this run, removed at its end.</summary>
    public static string Scratch(string name) => Directory.CreateDirectory(Path.Combine(s_scratch.Value, name)).FullName;

    /// <summary>File name of a native library on this system.</summary>
    public static string FileName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";

    /// <summary>Where the packaged ONNX Runtime lies.</summary>
    public static string PackagedOnnxRuntime { get; } =
        ((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "") + Path.PathSeparator + AppContext.BaseDirectory)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, FileName("onnxruntime")))
            .First(File.Exists);

    /// <summary>Puts the packaged ONNX Runtime into a folder: a link where links cost nothing, for the file is large.</summary>
    public static void LinkOnnxRuntime(string folder)
    {
        string target = Path.Combine(folder, FileName("onnxruntime"));
        if (OperatingSystem.IsWindows())
        {
            File.Copy(PackagedOnnxRuntime, target);
        }
        else
        {
            File.CreateSymbolicLink(target, PackagedOnnxRuntime);
        }
    }

#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Choose()
    {
        if (Environment.GetEnvironmentVariable(ChildVariable) is not null)
        {
            return;
        }

        AppDomain.CurrentDomain.ProcessExit += (_, _) => RemoveScratch();
        // A test may reach the managed package before the assembly under test.
        Telemetry.TurnOff();
    }

    private static void RemoveScratch()
    {
        try
        {
            if (s_scratch.IsValueCreated)
            {
                Directory.Delete(s_scratch.Value, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Windows keeps loaded libraries; its temp folder is cleaned by the system.
        }
    }
}
