using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>What a loaded decoder takes and gives: names from genai_config.json, element types from the graph.</summary>
internal sealed class DecoderGraph
{
    public DecoderGraph(ModelFolder folder, InferenceSession session, OrtProvider? provider)
    {
        Session = session;
        Provider = provider;
        Folder = folder;
        PositionIds = folder.Names.PositionIds is { } name && session.InputMetadata.ContainsKey(name) ? name : null;
        CacheType = Input(session, PastKey(0)).ElementDataType;
        NodeMetadata logits = Output(session, folder.Names.Logits);
        LogitsType = logits.ElementDataType;
        HasLogitsOfAllPositions = logits.Dimensions[1] != 1;
        Output(session, PresentKey(0));
        Input(session, folder.Names.InputIds);
        Input(session, folder.Names.AttentionMask);
    }

    public ModelFolder Folder { get; }

    public InferenceSession Session { get; }

    /// <summary>The device that the graph runs on; null for the CPU.</summary>
    public OrtProvider? Provider { get; }

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

    private static string Named(string pattern, int layer) => pattern.Replace("%d", layer.ToString(), StringComparison.Ordinal);

    private NodeMetadata Input(InferenceSession session, string name) => session.InputMetadata.TryGetValue(name, out NodeMetadata? input)
        ? input
        : throw new EngineException($"{Folder.GraphPath} has no input '{name}', which {Folder.Path}/genai_config.json names; the graph has {string.Join(", ", session.InputMetadata.Keys.Take(4))}, ...");

    private NodeMetadata Output(InferenceSession session, string name) => session.OutputMetadata.TryGetValue(name, out NodeMetadata? output)
        ? output
        : throw new EngineException($"{Folder.GraphPath} has no output '{name}', which {Folder.Path}/genai_config.json names");
}
