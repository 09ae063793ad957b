using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>A bound call of the decoder for a fixed number of tokens: one for the prompt, one for every token after it.</summary>
internal sealed class Step : IDisposable
{
    private readonly DecoderGraph _graph;
    private readonly OrtIoBinding _binding;
    private readonly OrtValue _inputIds;
    private readonly OrtValue _mask;
    private readonly OrtValue? _positions;
    private readonly OrtValue _logits;
    private readonly TensorElementType _logitsType;
    private readonly int _vocabulary;

    /// <param name="graph">The loaded decoder.</param>
    /// <param name="cache">Keys and values that the step reads and appends to.</param>
    /// <param name="tokens">Tokens that a call computes.</param>
    /// <param name="maskLength">
    /// Length of the attention mask. <c>GroupQueryAttention</c> takes a call whose mask is as long as its tokens for the start of a
    /// sequence; a decode step has the mask of the whole sequence from the beginning and sets one element more each time.
    /// </param>
    public Step(DecoderGraph graph, KeyValueCache cache, int tokens, int maskLength)
    {
        _graph = graph;
        Tokens = tokens;
        _vocabulary = graph.Folder.VocabularySize;
        _logitsType = graph.LogitsType;
        _inputIds = Int64s(tokens);
        _mask = Int64s(maskLength);
        _positions = graph.PositionIds is null ? null : Int64s(tokens);
        _logits = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, graph.LogitsType, [1, graph.HasLogitsOfAllPositions ? tokens : 1, _vocabulary]);
        _logits.GetTensorMutableRawData().Clear();

        _binding = graph.Session.CreateIoBinding();
        BindInputs();
        cache.BindTo(_binding, graph);
        _binding.BindOutput(graph.Folder.Names.Logits, _logits);
    }

    public int Tokens { get; }

    /// <summary>Runs the decoder over the inputs that were set.</summary>
    public void Compute(InferenceSession session, RunOptions runOptions)
    {
        if (_graph.Provider is not null)
        {
            // An input in CPU memory is copied to the device when it is bound, not when it is used.
            BindInputs();
            session.RunWithBinding(runOptions, _binding);
            _binding.SynchronizeBoundOutputs();
        }
        else
        {
            session.RunWithBinding(runOptions, _binding);
        }
    }

    public void ClearMask() => _mask.GetTensorMutableDataAsSpan<long>().Clear();

    /// <summary>Marks the first positions as taken.</summary>
    public void SetMask(int length) => _mask.GetTensorMutableDataAsSpan<long>()[..length].Fill(1);

    /// <summary>Sets the tokens of a prompt that starts at a position.</summary>
    public void SetInputs(ReadOnlySpan<int> tokens, int position)
    {
        TensorPrimitives.ConvertChecked(tokens, _inputIds.GetTensorMutableDataAsSpan<long>());
        SetMask(position + tokens.Length);
        if (_positions is not null)
        {
            Span<long> positions = _positions.GetTensorMutableDataAsSpan<long>();
            for (int i = 0; i < positions.Length; i++)
            {
                positions[i] = position + i;
            }
        }
    }

    /// <summary>Sets the one token of a decode step.</summary>
    public void SetInput(int token, int position)
    {
        _inputIds.GetTensorMutableDataAsSpan<long>()[0] = token;
        _mask.GetTensorMutableDataAsSpan<long>()[position] = 1;
        if (_positions is not null)
        {
            _positions.GetTensorMutableDataAsSpan<long>()[0] = position;
        }
    }

    /// <summary>The token with the highest logit at the last position, those left out that may not be chosen: their logits become -∞.</summary>
    public int MostLikelyToken(ReadOnlySpan<int> forbidden) => _logitsType == TensorElementType.Float16
        ? MostLikely(MemoryMarshal.Cast<byte, Half>(LastRow(sizeof(ushort))), Half.NegativeInfinity, forbidden)
        : MostLikely(MemoryMarshal.Cast<byte, float>(LastRow(sizeof(float))), float.NegativeInfinity, forbidden);

    /// <summary>A copy of the logits at the last position, [vocabulary].</summary>
    public float[] LastLogits() => _logitsType == TensorElementType.Float16
        ? Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(LastRow(sizeof(ushort))).ToArray(), half => (float)half)
        : MemoryMarshal.Cast<byte, float>(LastRow(sizeof(float))).ToArray();

    public void Dispose()
    {
        _binding.Dispose();
        _inputIds.Dispose();
        _mask.Dispose();
        _positions?.Dispose();
        _logits.Dispose();
    }

    private static int MostLikely<T>(Span<T> logits, T never, ReadOnlySpan<int> forbidden)
        where T : System.Numerics.INumber<T>
    {
        foreach (int token in forbidden)
        {
            logits[token] = never;
        }

        return TensorPrimitives.IndexOfMax<T>(logits);
    }

    private void BindInputs()
    {
        _binding.BindInput(_graph.Folder.Names.InputIds, _inputIds);
        _binding.BindInput(_graph.Folder.Names.AttentionMask, _mask);
        if (_positions is not null)
        {
            _binding.BindInput(_graph.PositionIds!, _positions);
        }
    }

    private Span<byte> LastRow(int elementBytes)
    {
        Span<byte> all = _logits.GetTensorMutableRawData();
        return all[^(_vocabulary * elementBytes)..];
    }

    private static OrtValue Int64s(int length)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, length]);
        value.GetTensorMutableDataAsSpan<long>().Clear();
        return value;
    }
}
