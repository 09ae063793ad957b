using System.Runtime.InteropServices;
using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Native;

// How the libraries are found and loaded, in the order that they need each other: DirectML, ONNX Runtime, onnxruntime-genai.
public static partial class NativeLibraries
{
    private static nint LoadOnnxRuntime()
    {
        if (OperatingSystem.IsWindows())
        {
            LoadDirectML();
        }

        string file = Find(OnnxRuntime) ?? throw new EngineException(Missing(OnnxRuntime));
        nint library = Load(file);
        string version = OrtApiBase.Version(library) ?? throw new EngineException($"{file} is not ONNX Runtime: it has no OrtGetApiBase");

        // The managed package asks for the API version that is its own minor version.
        uint wanted = (uint)(typeof(OrtEnv).Assembly.GetName().Version?.Minor ?? 0);
        if (!OrtApiBase.Offers(library, wanted))
        {
            throw new EngineException(
                $"{file} is ONNX Runtime {version}, too old for this build's managed package 1.{wanted}; use 1.{wanted} or newer, or build "
                    + "with another -p:NativeSet"
            );
        }

        RefuseSecondCopy();
        return library;
    }

    private static nint LoadGenAi()
    {
        RequireOnnxRuntime();
        if (!OperatingSystem.IsWindows())
        {
            PointGenAiAtOnnxRuntime();
        }

        string file = Find(GenAi) ?? throw new EngineException(Missing(GenAi));
        nint library = Load(file);
        RefuseSecondCopy();
        Telemetry.TurnOffGenAi(library);
        return library;
    }

    // onnxruntime.dll imports DirectML.dll by name, and the loader prefers the system's older copy to one in another folder: load ours
    // first.
    private static void LoadDirectML()
    {
        if (Find(DirectML) is { } file)
        {
            Load(file);
        }
    }

    /// <summary>
    /// onnxruntime-genai opens <c>libonnxruntime.so</c> by name, and ends the process when it finds none; ORT_LIB_PATH names the file
    /// instead.
    /// Set with the C library's call: .NET keeps an environment of its own on Unix.
    /// </summary>
    private static void PointGenAiAtOnnxRuntime()
    {
        if (LoadedModules.PathsOf(OnnxRuntime) is [var path, ..])
        {
            _ = SetEnvironmentVariable("ORT_LIB_PATH", path, 1);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironmentVariable(string name, string value, int overwrite);

    private static void RefuseSecondCopy()
    {
        if (LoadedModules.PathsOf(OnnxRuntime) is { Count: > 1 } copies)
        {
            throw new EngineException(
                $"two ONNX Runtimes are in this process, so figures could not be told apart: {string.Join(" and ", copies)}"
            );
        }
    }

    internal static nint Load(string file)
    {
        try
        {
            return NativeLibrary.Load(file);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw new EngineException(LoadProblem(file, e.Message), e);
        }
    }

    private static string LoadProblem(string file, string systemText)
    {
        try
        {
            NativeImage? image = NativeImage.Read(file);
            if (image is null)
            {
                return $"{file} is not a native library";
            }

            if (!image.FitsThisProcess)
            {
                return $"{file} is {image.Describe()}";
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            systemText = e.Message;
        }

        return $"{file} could not be loaded: {systemText.OneLine()}";
    }

    private static string Missing(string name)
    {
        if (RuntimeFolder is { } folder && name == OnnxRuntime)
        {
            return Directory.Exists(folder)
                ? $"{folder} holds no {FileName(name)}; --runtime-dir needs a folder with a native ONNX Runtime"
                : $"the runtime folder {folder} does not exist";
        }

        string advice =
            name == GenAi ? "; build with -p:NativeSet=CpuGenAI, Cuda or DirectML, or name a folder that holds it with --runtime-dir" : "";
        return $"{FileName(name)} was not found in {string.Join(", ", SearchFolders(name).Distinct())} (this build took the native set "
            + $"{PackagedSet}){advice}";
    }

    private static string? Find(string name) =>
        SearchFolders(name).Select(folder => FindIn(folder, name)).FirstOrDefault(file => file is not null);

    internal static string? FindIn(string folder, string name)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        string plain = Path.Combine(folder, FileName(name));
        return File.Exists(plain)
            ? plain
            : Directory
                .EnumerateFiles(folder)
                .Where(file => IsFileOf(name, Path.GetFileName(file)))
                .Order(StringComparer.Ordinal)
                .FirstOrDefault();
    }

    // A runtime folder stands for the packaged ONNX Runtime; what it does not hold besides may come from the packages:
    // first where the host says that their native files lie, then the program's own folder.
    private static IEnumerable<string> SearchFolders(string name)
    {
        if (RuntimeFolder is { } folder)
        {
            yield return folder;
            if (name == OnnxRuntime)
            {
                yield break;
            }
        }

        string packaged = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        foreach (string packageFolder in packaged.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            yield return packageFolder;
        }

        yield return AppContext.BaseDirectory;
    }

    internal static string FileName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";
}
