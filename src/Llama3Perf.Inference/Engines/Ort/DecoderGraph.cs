using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>What a loaded decoder takes and gives: names from genai_config.json, element types from the graph.</summary>
internal sealed class DecoderGraph : IDisposable
{
    /// <param name="folder">The model.</param>
    /// <param name="session">Its graph, loaded.</param>
    /// <param name="device">Where the KV cache lives; null for the CPU. Owned.</param>
    /// <param name="copy">To and from the device; null where nothing is copied.</param>
    /// <exception cref="EngineException">An input or output that genai_config.json names is missing, or of a type that is not
    /// handled.</exception>
    public DecoderGraph(ModelFolder folder, InferenceSession session, OrtDevice? device, DeviceCopy? copy)
    {
        Session = session;
        Device = device;
        Copy = copy;
        Folder = folder;
        PositionIds = folder.Names.PositionIds is { } name && session.InputMetadata.ContainsKey(name) ? name : null;
        CacheType = Input(PastKey(0)).ElementDataType;
        NodeMetadata logits = Output(folder.Names.Logits);
        LogitsType = logits.ElementDataType;
        HasLogitsOfAllPositions = logits.Dimensions[1] != 1;
        Output(PresentKey(0));
        Input(folder.Names.InputIds);
        Input(folder.Names.AttentionMask);
        if (LogitsType is not (TensorElementType.Float or TensorElementType.Float16))
        {
            throw new EngineException($"{folder.GraphPath} gives logits as {LogitsType}; float32 and float16 are handled");
        }
    }

    public ModelFolder Folder { get; }

    public InferenceSession Session { get; }

    /// <summary>The device that the graph runs on; null for the CPU.</summary>
    public OrtDevice? Device { get; }

    /// <summary>Where buffers lie that stay with the graph.</summary>
    public OrtAllocator Allocator => Device?.Allocator ?? OrtAllocator.DefaultInstance;

    /// <summary>To and from the device that the graph runs on; null for the CPU.</summary>
    public DeviceCopy? Copy { get; }

    /// <summary>Name of the positions' input, int64 [1, sequence]; null when the graph works them out by itself.</summary>
    public string? PositionIds { get; }

    public TensorElementType CacheType { get; }

    public TensorElementType LogitsType { get; }

    /// <summary>True for logits [1, sequence, vocabulary]; false for [1, 1, vocabulary].</summary>
    public bool HasLogitsOfAllPositions { get; }

    public string PastKey(int layer) => Named(Folder.Names.PastKey, layer);

    public string PastValue(int layer) => Named(Folder.Names.PastValue, layer);

    public string PresentKey(int layer) => Named(Folder.Names.PresentKey, layer);

    public string PresentValue(int layer) => Named(Folder.Names.PresentValue, layer);

    /// <summary>The shape of a past input at a length: heads and width are the graph's where it says them, else the
    /// configuration's.</summary>
    public long[] CacheShape(string past, int length)
    {
        int[] dims = Input(past).Dimensions;
        return
        [
            1,
            dims is [_, > 0 and var heads, ..] ? heads : Folder.KeyValueHeadCount,
            length,
            dims is [.., > 0 and var width] ? width : Folder.HeadSize,
        ];
    }

    public void Dispose() => Device?.Dispose();

    private static string Named(string pattern, int layer) => pattern.Replace("%d", layer.ToString(), StringComparison.Ordinal);

    private NodeMetadata Input(string name) => Find(Session.InputMetadata, "input", name);

    private NodeMetadata Output(string name) => Find(Session.OutputMetadata, "output", name);

    private NodeMetadata Find(IReadOnlyDictionary<string, NodeMetadata> all, string kind, string name) =>
        all.TryGetValue(name, out NodeMetadata? found)
            ? found
            : throw new EngineException(
                $"{Folder.GraphPath} has no {kind} '{name}', which genai_config.json names; it has {string.Join(", ", all.Keys.Take(4))}, "
                    + "..."
            );
}
