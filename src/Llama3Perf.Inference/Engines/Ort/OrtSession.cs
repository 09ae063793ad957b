using Llama3Perf.Inference.Native;
using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Opens a folder's graph with the settings that decode needs, and the engine's row in the table.</summary>
internal static class OrtSession
{
    /// <summary>The row.</summary>
    public static EngineKind Kind { get; } = new("ort", "our own decode loop over ONNX Runtime", Available, Load);

    /// <param name="folder">The model.</param>
    /// <param name="options">How to load it.</param>
    /// <param name="threads">Intra-op threads.</param>
    /// <param name="profilePrefix">Where a profile begins to be written; null for none.</param>
    public static InferenceSession Open(ModelFolder folder, EngineOptions options, int threads, string? profilePrefix)
    {
        using SessionOptions session = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = Level(options.Optimization),
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        if (profilePrefix is not null)
        {
            session.ProfileOutputPathPrefix = profilePrefix;
            session.EnableProfiling = true;
        }

        // Rearranging the weights is most of the load time; in parallel it takes half.
        session.AddSessionConfigEntry("session.prepack.enable_parallel", "1");
        foreach ((string key, string value) in options.SessionEntries)
        {
            session.AddSessionConfigEntry(key, value);
        }

        try
        {
            OrtProvider.Of(options.Provider)?.AddTo(session, options);
            return new InferenceSession(folder.GraphPath, session);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or EntryPointNotFoundException)
        {
            throw new EngineException($"ONNX Runtime cannot load {folder.GraphPath}: {exception.Message.ReplaceLineEndings(" ").Trim()}", exception);
        }
    }

    private static OrtEngine Load(ModelFolder folder, EngineOptions options)
    {
        OrtProvider.Refuse(folder, options);
        if (Available(options.Provider) is { IsAvailable: false, Reason: { } reason })
        {
            throw new EngineException(reason);
        }

        return new OrtEngine(folder, options);
    }

    private static Availability Available(ExecutionProvider provider)
    {
        try
        {
            NativeLibraries.RequireOnnxRuntime();
        }
        catch (EngineException exception)
        {
            return Availability.No(exception.Message);
        }

        if (OrtProvider.Of(provider) is not { } wanted)
        {
            return Availability.Yes;
        }

        return NativeLibraries.WhyNotProvider(wanted.OnnxRuntimeName) is { } reason ? Availability.No(reason) : Availability.Yes;
    }

    private static GraphOptimizationLevel Level(OptimizationLevel level) => level switch
    {
        OptimizationLevel.None => GraphOptimizationLevel.ORT_DISABLE_ALL,
        OptimizationLevel.Basic => GraphOptimizationLevel.ORT_ENABLE_BASIC,
        OptimizationLevel.Extended => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
        _ => GraphOptimizationLevel.ORT_ENABLE_ALL,
    };
}
