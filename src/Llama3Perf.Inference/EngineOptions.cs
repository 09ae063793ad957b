using Llama3Perf.Models;

namespace Llama3Perf.Inference;

/// <summary>How an engine loads a model folder.</summary>
public sealed record EngineOptions
{
    /// <summary>Where the model runs.</summary>
    public ExecutionProvider Provider { get; init; } = ExecutionProvider.Cpu;

    /// <summary>Adapter index or part of its name; null takes the provider's default.</summary>
    public string? Device { get; init; }

    /// <summary><see cref="Device"/> as a number; null where it is none.</summary>
    public int? DeviceIndex =>
        int.TryParse(Device, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int index)
            ? index
            : null;

    /// <summary>Intra-op threads; null means one for each physical core.</summary>
    public int? Threads { get; init; }

    /// <summary>ONNX Runtime's graph optimization level.</summary>
    public OptimizationLevel Optimization { get; init; } = OptimizationLevel.All;

    /// <summary>
    /// True lets the model choose an EOS token, for text that ends. Measurements do not: the number of new tokens is fixed, and every
    /// engine leaves the folder's EOS tokens out of its choice.
    /// </summary>
    public bool AllowEos { get; init; }

    /// <summary>
    /// True has <c>ort</c> on the CPU compute quantized products in the graph's own activation type, whatever accuracy level they ask for:
    /// for references of providers that have no such levels.
    /// </summary>
    public bool FloatActivations { get; init; }

    /// <summary>ONNX Runtime session configuration entries, applied last (<c>session.disable_prepacking=1</c>).</summary>
    public IReadOnlyDictionary<string, string> SessionEntries { get; init; } = new Dictionary<string, string>();

    /// <summary>How tokens travel from one step to the next; null takes what is right and fastest on the provider.</summary>
    public DecodeLoop? Loop { get; init; }

    /// <summary>How keys and values are kept; null for the usual: float16 in llama.cpp, in ONNX Runtime what the folder's graph says. There
    /// it tells of a folder that was made for it.</summary>
    public KeyValueType? KeyValueType { get; init; }

    /// <summary>Whether llama.cpp computes attention in one fused operation.</summary>
    public FlashAttention FlashAttention { get; init; } = FlashAttention.Auto;

    /// <summary>Speculative decoding, in engines that have it; null decodes token by token.</summary>
    public Speculation? Speculation { get; init; }

    /// <summary>Prompt tokens that are processed at once, in engines that can divide a prompt; null takes it whole.</summary>
    public int? PrefillChunk { get; init; }

    /// <summary>Name, version and hash of the library that brings the provider; null for those that are compiled in.</summary>
    public string? ProviderLibrary { get; init; }

    /// <summary>Options of the execution provider, as its documentation names them.</summary>
    public IReadOnlyDictionary<string, string> ProviderOptions { get; init; } = new Dictionary<string, string>();
}

/// <summary>ONNX Runtime's graph optimization levels.</summary>
public enum OptimizationLevel
{
    /// <summary>The graph as it is in the file.</summary>
    None,

    /// <summary>Semantics-preserving rewrites.</summary>
    Basic,

    /// <summary>Basic and node fusions.</summary>
    Extended,

    /// <summary>Extended and layout changes.</summary>
    All,
}

/// <summary>How a chosen token becomes the input of the next decode step.</summary>
public enum DecodeLoop
{
    /// <summary>The host reads the logits, chooses, and hands the token back.</summary>
    Host,

    /// <summary>The graph chooses, in device memory; the host reads the token's id. Captured where the provider can.</summary>
    Device,
}

/// <summary>llama.cpp's fused attention.</summary>
public enum FlashAttention
{
    /// <summary>llama.cpp decides, by model and backend.</summary>
    Auto,

    /// <summary>On.</summary>
    On,

    /// <summary>Off.</summary>
    Off,
}
