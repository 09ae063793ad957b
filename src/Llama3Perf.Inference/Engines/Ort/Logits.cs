using System.Runtime.InteropServices;
using Llama3Perf.Inference.Generation;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Where a decoder writes its logits, [1, positions, vocabulary], in CPU memory; the last position is read.</summary>
internal sealed class Logits : IDisposable
{
    private readonly DecoderGraph _graph;

    /// <param name="graph">The loaded decoder.</param>
    /// <param name="tokens">Tokens that a call computes.</param>
    public Logits(DecoderGraph graph, int tokens)
    {
        _graph = graph;
        Value = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance,
            graph.LogitsType,
            [1, graph.HasLogitsOfAllPositions ? tokens : 1, graph.Folder.VocabularySize]
        );
        Value.GetTensorMutableRawData().Clear();
    }

    public OrtValue Value { get; }

    /// <summary>
    /// The token with the highest logit at the last position, the first one of equals; those left out that may not be chosen:
    /// their logits become -∞.
    /// </summary>
    /// <exception cref="EngineException">The highest logit is no finite number: the provider computed garbage.</exception>
    public int MostLikelyToken(ReadOnlySpan<int> forbidden)
    {
        int token;
        bool isFinite;
        if (_graph.LogitsType == TensorElementType.Float16)
        {
            Span<Half> row = LastRow<Half>();
            Forbid(row, Half.NegativeInfinity, forbidden);
            token = Argmax.Of(row);
            isFinite = Half.IsFinite(row[token]);
        }
        else
        {
            Span<float> row = LastRow<float>();
            Forbid(row, float.NegativeInfinity, forbidden);
            token = Argmax.Of(row);
            isFinite = float.IsFinite(row[token]);
        }

        return isFinite ? token : throw new EngineException($"{_graph.Folder.Path} gives NaN or infinite logits on this provider");
    }

    /// <summary>A copy of the logits at the last position, [vocabulary].</summary>
    public float[] Last() =>
        _graph.LogitsType == TensorElementType.Float16
            ? Array.ConvertAll(LastRow<Half>().ToArray(), half => (float)half)
            : LastRow<float>().ToArray();

    public void Dispose() => Value.Dispose();

    private static void Forbid<T>(Span<T> logits, T never, ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens)
        {
            logits[token] = never;
        }
    }

    private Span<T> LastRow<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(Value.GetTensorMutableRawData())[^_graph.Folder.VocabularySize..];
}
