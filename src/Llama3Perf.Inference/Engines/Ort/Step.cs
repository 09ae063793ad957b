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
        _inputIds = Int64s(tokens);
        _mask = Int64s(maskLength);
        _positions = graph.PositionIds is null ? null : Int64s(tokens);
        _logits = OrtValue.CreateAllocatedTensorValue(
            OrtAllocator.DefaultInstance, graph.LogitsType, [1, graph.HasLogitsOfAllPositions ? tokens : 1, graph.Folder.VocabularySize]);
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
        if (_graph.Device is null)
        {
            session.RunWithBinding(runOptions, _binding);
            return;
        }

        // An input in CPU memory is copied to the device when it is bound, not when it is used.
        BindInputs();
        _binding.SynchronizeBoundInputs();
        session.RunWithBinding(runOptions, _binding);
        _binding.SynchronizeBoundOutputs();
    }

    public void ClearMask() => _mask.GetTensorMutableDataAsSpan<long>().Clear();

    /// <summary>Marks the first positions as taken.</summary>
    public void SetMask(int length) => _mask.GetTensorMutableDataAsSpan<long>()[..length].Fill(1);

    /// <summary>Sets the tokens of a prompt.</summary>
    public void SetInputs(ReadOnlySpan<int> tokens)
    {
        TensorPrimitives.ConvertChecked(tokens, _inputIds.GetTensorMutableDataAsSpan<long>());
        SetMask(tokens.Length);
        if (_positions is not null)
        {
            Span<long> positions = _positions.GetTensorMutableDataAsSpan<long>();
            for (int i = 0; i < positions.Length; i++)
            {
                positions[i] = i;
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
    public float[] LastLogits() => _graph.LogitsType == TensorElementType.Float16
        ? Array.ConvertAll(LastRow<Half>().ToArray(), half => (float)half)
        : LastRow<float>().ToArray();

    public void Dispose()
    {
        _binding.Dispose();
        _inputIds.Dispose();
        _mask.Dispose();
        _positions?.Dispose();
        _logits.Dispose();
    }

    private static void Forbid<T>(Span<T> logits, T never, ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens)
        {
            logits[token] = never;
        }
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

    private Span<T> LastRow<T>()
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(_logits.GetTensorMutableRawData())[^_graph.Folder.VocabularySize..];

    private static OrtValue Int64s(int length)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, length]);
        value.GetTensorMutableDataAsSpan<long>().Clear();
        return value;
    }
}
