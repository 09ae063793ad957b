using System.Numerics.Tensors;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// The host chooses each token, for a decoder whose cache grows: each call reads past keys and values and writes them anew with its tokens'
/// own behind.
/// Every layer has two buffers that take turns; inputs and outputs are bound at their new lengths in every call, on the CPU.
/// </summary>
internal sealed class GrowingLoop : IDecodeLoop
{
    private readonly DecoderGraph _graph;
    private readonly List<GrowingCache> _caches = [];
    private readonly RunOptions _options = new();
    private readonly long[] _mask;
    private Logits? _prompt;
    private readonly Logits _next;
    private readonly int[] _forbidden;
    private Logits _last;
    private int _token;
    private int _promptLength;
    private int _past;

    /// <exception cref="OnnxRuntimeException">There is not enough memory.</exception>
    public GrowingLoop(DecoderGraph graph, int maxLength, int[] forbidden)
    {
        (_graph, MaxLength, _forbidden) = (graph, maxLength, forbidden);
        _mask = new long[maxLength];
        Array.Fill(_mask, 1);
        _last = _next = new Logits(graph, tokens: 1);
        try
        {
            for (int layer = 0; layer < graph.Folder.LayerCount; layer++)
            {
                _caches.Add(new GrowingCache(graph, graph.PastKey(layer), graph.PresentKey(layer), maxLength));
                _caches.Add(new GrowingCache(graph, graph.PastValue(layer), graph.PresentValue(layer), maxLength));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int MaxLength { get; }

    public void Restart() => _past = 0;

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        _past = 0;
        if (_prompt is null || _promptLength != prompt.Length)
        {
            _prompt?.Dispose();
            _prompt = null;
            _prompt = new Logits(_graph, _promptLength = prompt.Length);
        }

        Compute(prompt, _prompt);
    }

    public void Decode(int position) => Compute([_token], _next);

    public int Choose(bool isLast) => _token = _last.MostLikelyToken(_forbidden);

    public float[] LastLogits() => _last.Last();

    public void Dispose()
    {
        _prompt?.Dispose();
        _next.Dispose();
        _options.Dispose();
        foreach (GrowingCache cache in _caches)
        {
            cache.Dispose();
        }
    }

    private void Compute(ReadOnlySpan<int> tokens, Logits logits)
    {
        int total = _past + tokens.Length;
        long[] ids = new long[tokens.Length];
        TensorPrimitives.ConvertChecked(tokens, ids.AsSpan());
        long[] positions = [.. Enumerable.Range(_past, tokens.Length).Select(position => (long)position)];
        List<OrtValue> views = [];
        using OrtIoBinding binding = _graph.Session.CreateIoBinding();
        try
        {
            Bind(_graph.Folder.Names.InputIds, ids, ids.Length);
            Bind(_graph.Folder.Names.AttentionMask, _mask, total);
            if (_graph.PositionIds is { } name)
            {
                Bind(name, positions, positions.Length);
            }

            foreach (GrowingCache cache in _caches)
            {
                views.AddRange(cache.BindTo(binding, _past, total));
            }

            binding.BindOutput(_graph.Folder.Names.Logits, logits.Value);
            _graph.Session.RunWithBinding(_options, binding);
        }
        finally
        {
            views.ForEach(view => view.Dispose());
        }

        _caches.ForEach(cache => cache.Turn());
        _past = total;
        _last = logits;

        void Bind(string input, long[] values, int length)
        {
            var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values.AsMemory(0, length), [1, length]);
            views.Add(value);
            binding.BindInput(input, value);
        }
    }
}
