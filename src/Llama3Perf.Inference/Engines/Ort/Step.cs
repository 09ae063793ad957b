using System.Numerics.Tensors;
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
    private OrtValue _boundMask;
    private readonly OrtValue? _positions;

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
        _boundMask = _mask;
        _positions = graph.PositionIds is null ? null : Int64s(tokens);
        Logits = new Logits(graph, tokens);

        _binding = graph.Session.CreateIoBinding();
        BindInputs();
        cache.BindTo(_binding, graph);
        _binding.BindOutput(graph.Folder.Names.Logits, Logits.Value);
    }

    public int Tokens { get; }

    /// <summary>What <see cref="Compute"/> writes.</summary>
    public Logits Logits { get; }

    /// <summary>Runs the decoder over the inputs that were set.</summary>
    public void Compute(RunOptions options)
    {
        if (_graph.Device is null)
        {
            _graph.Session.RunWithBinding(options, _binding);
            return;
        }

        // An input in CPU memory is copied to the device when it is bound, not when it is used.
        BindInputs();
        _binding.SynchronizeBoundInputs();
        _graph.Session.RunWithBinding(options, _binding);
        _binding.SynchronizeBoundOutputs();
    }

    public void ClearMask() => _mask.GetTensorMutableDataAsSpan<long>().Clear();

    /// <summary>Marks the first positions as taken.</summary>
    public void SetMask(int length) => _mask.GetTensorMutableDataAsSpan<long>()[..length].Fill(1);

    /// <summary>
    /// Shows the graph no more than the first positions of the mask, and so a sequence that is no longer than that; for graphs that choose
    /// their rotary tables by the mask's length. Costs an allocation each time.
    /// </summary>
    public void ShowMask(int length)
    {
        OrtValue whole = _boundMask;
        _boundMask = TensorView.Of(_mask, TensorElementType.Int64, [1, length], length * sizeof(long));
        _binding.BindInput(_graph.Folder.Names.AttentionMask, _boundMask);
        if (whole != _mask)
        {
            whole.Dispose();
        }
    }

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

    public void Dispose()
    {
        _binding.Dispose();
        _inputIds.Dispose();
        if (_boundMask != _mask)
        {
            _boundMask.Dispose();
        }

        _mask.Dispose();
        _positions?.Dispose();
        Logits.Dispose();
    }

    private void BindInputs()
    {
        _binding.BindInput(_graph.Folder.Names.InputIds, _inputIds);
        _binding.BindInput(_graph.Folder.Names.AttentionMask, _boundMask);
        if (_positions is not null)
        {
            _binding.BindInput(_graph.PositionIds!, _positions);
        }
    }

    private static OrtValue Int64s(int length)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, length]);
        value.GetTensorMutableDataAsSpan<long>().Clear();
        return value;
    }
}
