using System.Runtime.InteropServices;
using Llama3Perf.Models;
using Llama3Perf.Models.Files;

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

        if (!OrtApiBase.Offers(library, OrtApiBase.NeededVersion))
        {
            throw new EngineException(
                $"{file} is ONNX Runtime {version}, which lacks entry points that this program calls (those of API "
                    + $"{OrtApiBase.NeededVersion}); use 1.{OrtApiBase.NeededVersion} or newer"
            );
        }

        if (RuntimeFolders.Count == 0 && OtherThanPackaged(file, version) is { } problem)
        {
            throw new EngineException(problem);
        }

        RefuseSecondCopy();
        return library;
    }

    /// <summary>Why an ONNX Runtime beside the program is not the one of the build's native set; null when it is.</summary>
    internal static string? OtherThanPackaged(string file, string version) =>
        Metadata("OnnxRuntimePackageVersion") is { } packaged && packaged != version
            ? $"{file} is ONNX Runtime {version}, and the native set {PackagedSet} of this build has {packaged}: build again, or "
                + "name the library's folder with --runtime-dir"
            : null;

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
    /// Not for children: a Python of an external engine has its own.
    /// </summary>
    private static void PointGenAiAtOnnxRuntime()
    {
        if (LoadedModules.PathsOf(OnnxRuntime) is [var path, ..])
        {
            NativeEnvironment.SetHere("ORT_LIB_PATH", path);
        }
    }

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
        // The loader would wait for whoever writes to a pipe.
        if (File.Exists(file) && InputFile.Length(file) == 0)
        {
            throw new EngineException($"{file} is not a native library: it is empty, or no regular file");
        }

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
        if (RuntimeFolders is { Count: > 0 } folders && name == OnnxRuntime)
        {
            return folders.FirstOrDefault(folder => !Directory.Exists(folder)) is { } absent
                ? $"the runtime folder {absent} does not exist"
                : $"{string.Join(" and ", folders)} holds no {FileName(name)}; --runtime-dir needs a folder with a native ONNX "
                    + "Runtime, or a Python's site-packages";
        }

        string advice =
            name == GenAi
                ? "; build with -p:NativeSet=CpuGenAI, DirectML, WinML or Cuda, or name a folder that holds it with --runtime-dir"
                : "";
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

    // Runtime folders stand for the packaged ONNX Runtime; what they do not hold besides may come from the packages:
    // first where the host says that their native files lie, then the program's own folder.
    private static IEnumerable<string> SearchFolders(string name)
    {
        IReadOnlyList<string> folders = RuntimeFolders;
        foreach (string folder in folders.SelectMany(WithPythonPackages))
        {
            yield return folder;
        }

        if (folders.Count > 0 && name == OnnxRuntime)
        {
            yield break;
        }

        foreach (string folder in PackagedFolders)
        {
            yield return folder;
        }
    }

    // Python's wheels keep each library in a folder of its own below site-packages.
    private static IEnumerable<string> WithPythonPackages(string folder) =>
        new[] { folder, Path.Combine(folder, "onnxruntime", "capi"), Path.Combine(folder, "onnxruntime_genai") }.Where(Directory.Exists);

    internal static string FileName(string name) =>
        OperatingSystem.IsWindows() ? name + ".dll"
        : OperatingSystem.IsMacOS() ? $"lib{name}.dylib"
        : $"lib{name}.so";
}
