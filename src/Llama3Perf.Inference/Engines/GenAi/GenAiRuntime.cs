using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>The engine's row in the table of engines, and what holds once a process: the library's shutdown and its one DirectML
/// adapter.</summary>
internal static class GenAiRuntime
{
    private static readonly HashSet<GenAiEngine> s_engines = [];
    private static readonly Lock s_lock = new();

    /// <summary>The library keeps the adapter of its first DirectML model for the life of the process and would ignore another without a
    /// word.</summary>
    internal static SingleAdapter Adapter { get; } = new("onnxruntime-genai");

    static GenAiRuntime() => AppDomain.CurrentDomain.ProcessExit += (_, _) => ShutDown();

    /// <summary>The row.</summary>
    public static EngineKind Kind { get; } =
        new("genai", "ONNX Runtime GenAI: its own generation loop, called through its C API", Available, Load)
        {
            NativeLibraries = [NativeLibraries.OnnxRuntime, NativeLibraries.GenAi, NativeLibraries.DirectML],
            FolderOptions = (folder, options) => GenAiConfig.OwnOptions(folder.Path, options),
        };

    /// <summary>Remembers an engine until it is disposed: none may outlive the library's shutdown.</summary>
    public static void Add(GenAiEngine engine)
    {
        lock (s_lock)
        {
            s_engines.Add(engine);
        }
    }

    /// <summary>Forgets a disposed engine.</summary>
    public static void Remove(GenAiEngine engine)
    {
        lock (s_lock)
        {
            s_engines.Remove(engine);
        }
    }

    private static Availability Available(ExecutionProvider provider) =>
        provider == ExecutionProvider.Plugin
            ? Availability.No("genai takes no provider library: --engine ort does")
            : ProviderAvailability.Of(
                provider,
                () => Oga.RequireLibrary(),
                () => GenAiProvider.Of(provider)?.OnnxRuntimeName,
                place => AddOnProblem(place, NativeLibraries.GenAiPath) ?? ProviderTrial.Problem(place)
            );

    /// <summary>CUDA's part of onnxruntime-genai is a library of its own beside it, which it opens with the first model: why it cannot, or
    /// null.</summary>
    /// <param name="provider">Where a model is to run.</param>
    /// <param name="library">The file of onnxruntime-genai.</param>
    internal static string? AddOnProblem(ExecutionProvider provider, string library)
    {
        if (provider != ExecutionProvider.Cuda)
        {
            return null;
        }

        string addOn = Path.Combine(Path.GetDirectoryName(library)!, NativeLibraries.FileName("onnxruntime-genai-cuda"));
        return File.Exists(addOn)
            ? null
            : $"genai needs {addOn} for CUDA, which is not there; the native set Cuda of a build has it "
                + "(Microsoft.ML.OnnxRuntimeGenAI.Cuda)";
    }

    private static GenAiEngine Load(ModelFolder folder, EngineOptions options)
    {
        GenAiConfig.Refuse(folder, options);
        if (Available(options.Provider) is { IsAvailable: false, Reason: { } reason })
        {
            throw new EngineException(reason);
        }

        if (options.Provider == ExecutionProvider.Dml)
        {
            Adapter.Take(GenAiConfig.DirectMLDevice(options));
        }

        try
        {
            _ = NativeLibraries.OnnxRuntimeEnvironment();
            string? elsewhere = GenAiProvider.Of(options.Provider) is { } row
                ? GenAiPlacement.Warning(folder, options, row.OnnxRuntimeName)
                : null;
            return new GenAiEngine(folder, options, elsewhere);
        }
        catch (EngineException e)
        {
            throw new EngineException($"{folder.Path}: {e.Message}", e);
        }
    }

    /// <summary>
    /// OgaShutdown, once and last. Not when no object was ever made, because the call itself would start the library,
    /// nor when a native call still holds one.
    /// </summary>
    private static void ShutDown()
    {
        GenAiEngine[] left;
        lock (s_lock)
        {
            left = [.. s_engines];
        }

        foreach (GenAiEngine engine in left)
        {
            engine.Dispose();
        }

        if (OgaHandle.CreatedCount > 0 && OgaHandle.LiveCount == 0)
        {
            Oga.OgaShutdown();
        }
    }
}
