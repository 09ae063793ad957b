using System.Runtime.CompilerServices;
using Llama3Perf.Inference.Native;

namespace Llama3Perf.Inference.Tests.Native;

/// <summary>
/// Which native libraries this test process runs on. A process loads each library once, so this is decided before any test:
/// the real ones of the folder that LLAMA3PERF_TEST_GENAI_DIR names, else the packaged ONNX Runtime beside the fake onnxruntime-genai.
/// </summary>
internal static class TestRuntime
{
    public const string RealFolderVariable = "LLAMA3PERF_TEST_GENAI_DIR";
    public const string ChildVariable = "LLAMA3PERF_TEST_CHILD";

    private static readonly Lazy<string> s_scratch = new(() => Directory.CreateTempSubdirectory("llama3perf-native-").FullName);

    /// <summary>Folder with the real libraries, or null.</summary>
    public static string? RealFolder { get; } =
        Environment.GetEnvironmentVariable(RealFolderVariable) is { Length: > 0 } folder ? folder : null;

    /// <summary>The compiled fake, or null.</summary>
    public static string? FakeLibrary { get; private set; }

    /// <summary>Why there is no fake.</summary>
    public static string WhyNoFake { get; private set; } = $"{RealFolderVariable} puts a real library in the fake's place";

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
        string folder = RealFolder ?? BuildFake();
        if (folder.Length > 0)
        {
            Environment.SetEnvironmentVariable(NativeLibraries.RuntimeFolderVariable, folder);
        }
    }

    private static string BuildFake()
    {
        string folder = Scratch("fake");
        string library = Path.Combine(folder, FileName("onnxruntime-genai"));
        if (NativeCompiler.Compile(Path.Combine(Fixtures.Root, "tests", "native", "fake_genai.c"), library) is { } why)
        {
            WhyNoFake = why;
            Console.WriteLine($"Tests on the fake onnxruntime-genai are skipped: {why}");
            return "";
        }

        FakeLibrary = library;
        LinkOnnxRuntime(folder);
        return folder;
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
