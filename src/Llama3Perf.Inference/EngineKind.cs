using Llama3Perf.Models;

namespace Llama3Perf.Inference;

/// <summary>One engine of the suite.</summary>
/// <param name="Name">Name on the command line and in results.</param>
/// <param name="Summary">One line for help texts.</param>
/// <param name="Availability">Whether the engine can run on a provider here; cheap, loads no model.</param>
/// <param name="Load">Loads a folder. Throws <see cref="EngineException"/> with one line that names the cause.</param>
public sealed record EngineKind(
    string Name,
    string Summary,
    Func<ExecutionProvider, Availability> Availability,
    Func<ModelFolder, EngineOptions, IEngine> Load
)
{
    /// <summary>
    /// The loop that the engine takes on a provider when none is asked for; null for engines whose loop is not ours to choose.
    /// </summary>
    public Func<ExecutionProvider, DecodeLoop?> DefaultLoop { get; init; } = _ => null;

    /// <summary>Options that a folder brings and the engine takes over, beside those that it is given; none in most engines.</summary>
    public Func<ModelFolder, EngineOptions, IReadOnlyDictionary<string, string>> FolderOptions { get; init; } =
        (_, _) => new Dictionary<string, string>();

    /// <summary>
    /// False for engines that compute from the folder's weights in another arithmetic than ONNX Runtime's operators: they are verified
    /// within wider limits of their own.
    /// </summary>
    public bool HasOnnxRuntimeArithmetic { get; init; } = true;

    /// <summary>The format that it loads.</summary>
    public ModelFormat Format { get; init; } = ModelFormat.Onnx;

    /// <summary>Where it can run on some machine, best first.</summary>
    public IReadOnlyList<ExecutionProvider> Places { get; init; } =
    [ExecutionProvider.Dml, ExecutionProvider.Cuda, ExecutionProvider.WebGpu, ExecutionProvider.Cpu];

    /// <summary>Names of the native libraries that it computes with.</summary>
    public IReadOnlyList<string> NativeLibraries { get; init; } = [];

    /// <summary>Loads a folder whose figures or answers are to be the provider's.</summary>
    /// <exception cref="EngineException">It cannot be loaded, or compute nodes of it run elsewhere.</exception>
    public IEngine LoadPlaced(ModelFolder folder, EngineOptions options)
    {
        IEngine engine = Load(folder, options);
        if (engine.Description.PlacementWarning is not { } warning)
        {
            return engine;
        }

        engine.Dispose();
        throw new EngineException(warning);
    }
}

/// <summary>Whether something can be used here.</summary>
/// <param name="IsAvailable">True when it can.</param>
/// <param name="Reason">When it cannot: what was looked for, and where.</param>
public sealed record Availability(bool IsAvailable, string? Reason = null)
{
    /// <summary>It can be used.</summary>
    public static Availability Yes { get; } = new(true);

    /// <summary>It cannot, for this reason.</summary>
    public static Availability No(string reason) => new(false, reason);
}
