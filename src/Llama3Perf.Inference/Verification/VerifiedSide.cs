using Llama3Perf.Inference.Engines;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Verification;

/// <summary>A model folder on an engine and a provider: one side of a verification.</summary>
public sealed record VerifiedSide(ModelFolder Folder, string Engine, EngineOptions Options)
{
    /// <summary>The folder that a GGUF file, or a folder with another KV cache, was made of: what a reference computes from. Null where it
    /// is the folder itself.</summary>
    public ModelFolder? Source { get; init; }

    /// <summary>For people.</summary>
    public string Name => $"{Folder.Name} on {Engine}/{Options.Provider.ShownName()}";

    /// <summary>The engine.</summary>
    public EngineKind Kind
    {
        get => field ?? EngineCatalog.Get(Engine);
        init;
    }

    /// <summary>Whether activations are rounded to 8 bits there: as the graph asks, where the provider can.</summary>
    public bool RoundsActivations =>
        Folder.Arithmetic.RoundsActivations
        && Options is { FloatActivations: false, Provider: ExecutionProvider.Cpu or ExecutionProvider.WebGpu };

    /// <summary>Bits of a key or value where they are kept as integers there; null where they are not.</summary>
    public int? CacheBits =>
        Options.KeyValueType switch
        {
            KeyValueType.Int8 => 8,
            KeyValueType.Int4 => 4,
            _ => Folder.Arithmetic.CacheBits,
        };

    /// <summary>Whether products are added up in half precision there, as WebGPU's kernels do for tensors of it.</summary>
    public bool AddsInHalfPrecision => Options.Provider == ExecutionProvider.WebGpu && Folder.Precision != Precision.Fp32;

    /// <summary>Loads the model so that it may choose any token.</summary>
    /// <exception cref="EngineException">The engine is not there, cannot load it, or does not compute it on the provider.</exception>
    public IEngine Load() => Kind.LoadPlaced(Folder, Options with { AllowEos = true });
}
