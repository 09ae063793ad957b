using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Our own decode loop over ONNX Runtime. Past and present are the same buffers, all inputs and outputs are bound once, and a
/// decode step allocates nothing managed. Buffers outlive Reset: as long as neither the max length nor the prompt's length changes,
/// a generation allocates nothing at all.
/// </summary>
internal sealed class OrtEngine : IEngine
{
    private readonly InferenceSession _session;
    private readonly DecoderGraph? _graph;
    private readonly RunOptions _runOptions = new();
    private readonly int[] _forbidden;
    private KeyValueCache? _cache;
    private Step? _prefill;
    private Step? _decode;
    private Step? _last;
    private int _promptLength;

    // Tokens of the sequence, the last one not yet computed.
    private int _length;
    private int _token;

    public OrtEngine(ModelFolder folder, EngineOptions options)
    {
        _forbidden = options.AllowEos ? [] : [.. folder.EosTokenIds.Where(id => id < folder.VocabularySize)];
        int threads = options.Threads ?? PhysicalCores.Count;
        OrtProvider? provider = OrtProvider.Of(options.Provider);
        using PlacementProof? proof = provider is null ? null : new PlacementProof(provider);
        _session = OrtSession.Open(folder, options, threads, proof?.ProfilePrefix);
        try
        {
            _graph = new DecoderGraph(folder, _session, provider is null ? null : DeviceMemory(provider, options));
            Description = new EngineDescription("ort", options.Provider) { Threads = threads, PlacementWarning = proof?.Warning(this, _session) };
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public EngineDescription Description { get; }

    public float[] LastLogits() => (_last ?? throw new InvalidOperationException("Nothing was computed yet.")).LastLogits();

    public void Reset(int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        if (maxLength > _graph!.Folder.ContextLength)
        {
            throw new EngineException($"a sequence of {maxLength} tokens is longer than the context of {_graph.Folder.ContextLength} of {_graph.Folder.Path}");
        }

        _last = null;
        if (_cache?.MaxLength != maxLength)
        {
            DropSequence();
            try
            {
                _cache = new KeyValueCache(_graph, maxLength);
                _decode = new Step(_graph, _cache, tokens: 1, maskLength: maxLength);
            }
            catch (OnnxRuntimeException exception)
            {
                DropSequence();
                throw OrtSession.Failure($"cannot make a KV cache of {maxLength} tokens", exception);
            }
        }

        _decode!.ClearMask();
        _length = 0;
    }

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        if (_cache is null || _length != 0)
        {
            throw new InvalidOperationException("Prefill is called once after each Reset: DirectML computes a second part of a prompt wrongly.");
        }

        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(prompt.Length, _cache.MaxLength, nameof(prompt));
        _length = _promptLength = prompt.Length;
        try
        {
            if (_prefill?.Tokens != prompt.Length)
            {
                _prefill?.Dispose();
                _prefill = null;
                _prefill = new Step(_graph!, _cache, prompt.Length, maskLength: prompt.Length);
            }

            _prefill.SetInputs(prompt);
            _prefill.Compute(_session, _runOptions);
        }
        catch (OnnxRuntimeException exception)
        {
            throw OrtSession.Failure($"failed in the prompt of {prompt.Length} tokens", exception);
        }

        _decode!.SetMask(prompt.Length);
        _last = _prefill;
    }

    public int NextToken()
    {
        if (_last is null || _length >= _cache!.MaxLength)
        {
            throw new InvalidOperationException("NextToken needs Reset and Prefill first, and room in the sequence.");
        }

        if (_length > _promptLength)
        {
            Decode();
        }

        _token = _last.MostLikelyToken(_forbidden);
        _length++;
        return _token;
    }

    public void Dispose()
    {
        DropSequence();
        _runOptions.Dispose();
        _graph?.Dispose();
        _session.Dispose();
    }

    private void Decode()
    {
        Step step = _decode!;
        // A sequence whose step failed must not be continued.
        _last = null;
        try
        {
            step.SetInput(_token, position: _length - 1);
            step.Compute(_session, _runOptions);
        }
        catch (OnnxRuntimeException exception)
        {
            throw OrtSession.Failure($"failed in token {_length}", exception);
        }

        _last = step;
    }

    private OrtAllocator DeviceMemory(OrtProvider provider, EngineOptions options)
    {
        using OrtMemoryInfo memory = provider.DeviceMemory(options);
        try
        {
            return new OrtAllocator(_session, memory);
        }
        catch (OnnxRuntimeException exception)
        {
            throw OrtSession.Failure($"has no {provider.MemoryName} memory", exception);
        }
    }

    internal void DropSequence()
    {
        _prefill?.Dispose();
        _decode?.Dispose();
        _cache?.Dispose();
        (_prefill, _decode, _last, _cache) = (null, null, null, null);
    }
}
