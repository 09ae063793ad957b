using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>The host chooses each token from the logits and hands it to the next step. Past and present are the same buffers.</summary>
internal sealed class HostLoop : IDecodeLoop
{
    private readonly DecoderGraph _graph;
    private readonly int[] _forbidden;
    private readonly RunOptions _runOptions = new();
    private readonly KeyValueCache _cache;
    private readonly Step _decode;
    private Step? _prefill;
    private Step _last;
    private int _token;

    /// <exception cref="OnnxRuntimeException">There is not enough memory.</exception>
    public HostLoop(DecoderGraph graph, int maxLength, int[] forbidden)
    {
        (_graph, _forbidden) = (graph, forbidden);
        _cache = new KeyValueCache(graph, maxLength);
        try
        {
            _last = _decode = new Step(graph, _cache, tokens: 1, maskLength: maxLength);
        }
        catch
        {
            _cache.Dispose();
            throw;
        }
    }

    public int MaxLength => _cache.MaxLength;

    public void Restart() => _decode.ClearMask();

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        if (_prefill?.Tokens != prompt.Length)
        {
            _prefill?.Dispose();
            _prefill = null;
            _prefill = new Step(_graph, _cache, prompt.Length, maskLength: prompt.Length);
        }

        _prefill.SetInputs(prompt);
        _prefill.Compute(_runOptions);
        _decode.SetMask(prompt.Length);
        _last = _prefill;
    }

    public void Decode(int position)
    {
        _decode.SetInput(_token, position);
        if (_graph.Folder.LongRopeLength is not null)
        {
            _decode.ShowMask(position + 1);
        }

        _decode.Compute(_runOptions);
        _last = _decode;
    }

    public int Choose(bool isLast) => _token = _last.Logits.MostLikelyToken(_forbidden);

    public float[] LastLogits() => _last.Logits.Last();

    public void Dispose()
    {
        _prefill?.Dispose();
        _decode.Dispose();
        _cache.Dispose();
        _runOptions.Dispose();
    }
}
