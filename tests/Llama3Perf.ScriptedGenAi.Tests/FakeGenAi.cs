using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.ScriptedGenAi.Tests;

/// <summary>Control of the fake library. Its script is the process's: tests that use it are one collection and run one after
/// another.</summary>
internal sealed unsafe class FakeGenAi
{
    public const string Collection = "scripted onnxruntime-genai";

    private static readonly string s_folder = Directory.CreateTempSubdirectory("llama3perf-scripted-").FullName;
    private static string? s_problem;

    private readonly nint _library;

    public FakeGenAi()
    {
        Assert.SkipWhen(s_problem is not null, s_problem ?? "");
        _library = Oga.RequireLibrary();
        ((delegate* unmanaged<void>)Entry("fake_reset"))();
        LiveAtStart = Live;
    }

    /// <summary>A model folder that the fake never opens.</summary>
    public static ModelFolder Folder { get; } =
        new()
        {
            Path = "/models/größe-模型",
            Name = "fake",
            GraphPath = "/models/größe-模型/model.onnx",
            IsSynthetic = true,
            Precision = Precision.Int4,
            BlockSize = 32,
            Family = GraphFamily.Standard,
            ContextLength = 512,
            VocabularySize = 1000,
            HiddenSize = 64,
            LayerCount = 2,
            HeadCount = 4,
            KeyValueHeadCount = 2,
            HeadSize = 16,
            BosTokenId = 1,
            EosTokenIds = [2],
            Names = new DecoderNames(),
            WeightBytes = 1000,
        };

    /// <summary>Native objects, results and strings that exist now.</summary>
    public int Live => ((delegate* unmanaged<int>)Entry("fake_live"))();

    /// <summary>The same before the test.</summary>
    public int LiveAtStart { get; }

    /// <summary>Calls since the test began, one a line.</summary>
    public string[] Log => Text("fake_log").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Uses that the real library would not survive.</summary>
    public string Misuse => Text("fake_misuse");

    /// <summary>Lets a call fail once, after it worked some times.</summary>
    public void Fail(string call, string text, int after = 0)
    {
        nint name = Marshal.StringToCoTaskMemUTF8(call);
        nint message = Marshal.StringToCoTaskMemUTF8(text);
        ((delegate* unmanaged<nint, int, nint, void>)Entry("fake_fail"))(name, after, message);
        Marshal.FreeCoTaskMem(name);
        Marshal.FreeCoTaskMem(message);
    }

    /// <summary>Sets where the library says that models run.</summary>
    public void DeviceType(string type)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(type);
        ((delegate* unmanaged<nint, void>)Entry("fake_device_type"))(text);
        Marshal.FreeCoTaskMem(text);
    }

    /// <summary>The token that follows, by the fake's rule.</summary>
    public static int Next(int token, int length) => ((token * 31) + length) % 1000;

    // Before any test, and before anything of ONNX Runtime: the packaged one beside the scripted library is what this process loads.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void UseScriptedLibrary()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Remove();
        s_problem = NativeCompiler.ScriptedGenAi(Path.Combine(s_folder, FileName("onnxruntime-genai")));
        if (s_problem is not null)
        {
            Console.WriteLine($"Tests on the scripted onnxruntime-genai are skipped: {s_problem}");
            return;
        }

        NativeLibraries.UseRuntimeFolders([s_folder, AppContext.BaseDirectory]);
    }

    private static string FileName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";

    private static void Remove()
    {
        try
        {
            Directory.Delete(s_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Windows keeps loaded libraries; its temp folder is cleaned by the system.
        }
    }

    private string Text(string name) => Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)Entry(name))()) ?? "";

    private nint Entry(string name) => NativeLibrary.GetExport(_library, name);
}
