using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Opens a folder's graph with the settings that decode needs, and the engine's row in the table.</summary>
internal static class OrtSession
{
    // Rearranging the weights is most of the load time; on all threads it takes half.
    private const string ParallelPrepacking = "session.prepack.enable_parallel";

    // Products that ONNX Runtime makes of weights behind DequantizeLinear have 4 by default: activations of 8 bits.
    private const string QdqAccuracyLevel = "session.qdq_matmulnbits_accuracy_level";

    // Where a graph that comes from memory finds its weights.
    private const string ExternalData = "session.model_external_initializers_file_folder_path";

    /// <summary>The row.</summary>
    public static EngineKind Kind { get; } =
        new("ort", "our own decode loop over ONNX Runtime", Available, (folder, options) => Load(folder, options, Available))
        {
            DefaultLoop = provider => OrtProvider.LoopOn(provider),
            NativeLibraries = [NativeLibraries.OnnxRuntime, NativeLibraries.DirectML],
        };

    private static readonly SingleAdapter s_adapter = new("ort");

    /// <param name="folder">The model.</param>
    /// <param name="options">How to load it.</param>
    /// <param name="threads">Intra-op threads.</param>
    /// <param name="profilePrefix">Where a profile begins to be written; null for none.</param>
    /// <param name="graph">What is loaded in place of the folder's graph, over the same external data; null for that graph.</param>
    /// <param name="captures">True when calls may be captured and replayed.</param>
    /// <exception cref="EngineException">With ONNX Runtime's own text.</exception>
    public static InferenceSession Open(
        ModelFolder folder,
        EngineOptions options,
        int threads,
        string? profilePrefix,
        byte[]? graph = null,
        bool captures = false
    )
    {
        try
        {
            _ = NativeLibraries.OnnxRuntimeEnvironment();
            using SessionOptions session = Options(options, threads);
            if (profilePrefix is not null)
            {
                session.ProfileOutputPathPrefix = profilePrefix;
                session.EnableProfiling = true;
            }

            OrtProvider.Of(options.Provider)?.AddTo(session, options, captures);
            if (graph is null)
            {
                return new InferenceSession(folder.GraphPath, session);
            }

            session.AddSessionConfigEntry(ExternalData, Path.GetDirectoryName(folder.GraphPath)!);
            return new InferenceSession(graph, session);
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or EntryPointNotFoundException or NotSupportedException)
        {
            throw Failure($"cannot load {folder.GraphPath}", exception);
        }
    }

    /// <summary>Opens a graph without weights on the provider, beside a model there.</summary>
    public static InferenceSession OpenSmall(byte[] graph, EngineOptions options)
    {
        using SessionOptions session = Options(new EngineOptions { Provider = options.Provider }, threads: 1);
        OrtProvider.Of(options.Provider)?.AddTo(session, options, captures: false);
        return new InferenceSession(graph, session);
    }

    /// <summary>ONNX Runtime's own text in one line.</summary>
    public static EngineException Failure(string what, Exception exception) =>
        new($"ONNX Runtime {what}: {exception.Message.OneLine()}", exception);

    private static SessionOptions Options(EngineOptions options, int threads)
    {
        SessionOptions session = new()
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = Level(options.Optimization),
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        Dictionary<string, string> entries = new(options.SessionEntries);
        entries.TryAdd(ParallelPrepacking, "1");
        if (options.FloatActivations)
        {
            entries[QdqAccuracyLevel] = "0";
        }

        foreach ((string key, string value) in entries)
        {
            session.AddSessionConfigEntry(key, value);
        }

        return session;
    }

    /// <param name="folder">The model.</param>
    /// <param name="options">How to load it.</param>
    /// <param name="available">Whether the provider can be used here.</param>
    /// <param name="adapter">Knows the process's DirectML adapter; null for the one that all loads share.</param>
    internal static OrtEngine Load(
        ModelFolder folder,
        EngineOptions options,
        Func<ExecutionProvider, Availability> available,
        SingleAdapter? adapter = null
    )
    {
        ProviderRules.Check(folder, options);
        if (available(options.Provider) is { IsAvailable: false, Reason: { } reason })
        {
            throw new EngineException(reason);
        }

        if (options.Provider == ExecutionProvider.Dml)
        {
            (adapter ?? s_adapter).Take(
                (options.Device ?? options.ProviderOptions.GetValueOrDefault("device_id") ?? $"{DirectMLAdapter.Default?.Index}")
                    is { Length: > 0 } index
                    ? $"adapter {index}"
                    : "its default adapter"
            );
        }

        return new OrtEngine(folder, options);
    }

    private static Availability Available(ExecutionProvider provider) =>
        ProviderAvailability.Of(
            provider,
            NativeLibraries.RequireOnnxRuntime,
            () => OrtProvider.Of(provider)?.OnnxRuntimeName,
            ProviderTrial.Problem
        );

    private static GraphOptimizationLevel Level(OptimizationLevel level) =>
        level switch
        {
            OptimizationLevel.None => GraphOptimizationLevel.ORT_DISABLE_ALL,
            OptimizationLevel.Basic => GraphOptimizationLevel.ORT_ENABLE_BASIC,
            OptimizationLevel.Extended => GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
            _ => GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
}
