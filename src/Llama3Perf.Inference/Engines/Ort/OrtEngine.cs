using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Our own decode loop over ONNX Runtime. Past and present are the same buffers, all inputs and outputs are bound once, and a
/// decode step allocates nothing managed.
/// </summary>
internal sealed class OrtEngine : IEngine
{
    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();
    private readonly DecoderGraph _graph;
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
        int threads = options.Threads ?? PhysicalCores.Count;
        OrtProvider? provider = OrtProvider.Of(options.Provider);
        string? profilePrefix = provider is null ? null : Path.Combine(Path.GetTempPath(), $"llama3perf-{Guid.NewGuid():N}");
        _session = OrtSession.Open(folder, options, threads, profilePrefix);
        _graph = new DecoderGraph(folder, _session, provider);
        _forbidden = options.AllowEos ? [] : [.. folder.EosTokenIds];
        Description = new EngineDescription("ort", options.Provider)
        {
            Threads = threads,
            PlacementWarning = provider is null ? null : ProvePlacement(provider),
        };
    }

    public EngineDescription Description { get; }

    /// <summary>Logits of the last position that was computed, [vocabulary], for tests.</summary>
    internal float[] LastLogits() => (_last ?? throw new InvalidOperationException("Nothing was computed yet.")).LastLogits();

    public void Reset(int maxLength)
    {
        if (_cache?.MaxLength != maxLength)
        {
            DropSequence();
            _cache = new KeyValueCache(_graph, maxLength);
            _decode = new Step(_graph, _cache, tokens: 1, maskLength: maxLength);
        }

        _decode!.ClearMask();
        _length = 0;
        _last = null;
    }

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        if (_cache is null || _length != 0)
        {
            throw new InvalidOperationException("Prefill is called once after each Reset.");
        }

        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(prompt.Length, _cache.MaxLength, nameof(prompt));
        if (_prefill?.Tokens != prompt.Length)
        {
            _prefill?.Dispose();
            _prefill = new Step(_graph, _cache, prompt.Length, maskLength: prompt.Length);
        }

        _prefill.SetInputs(prompt, position: 0);
        Run(_prefill);
        _decode!.SetMask(prompt.Length);
        _length = _promptLength = prompt.Length;
    }

    public int NextToken()
    {
        if (_last is null || _length >= _cache!.MaxLength)
        {
            throw new InvalidOperationException("NextToken needs Reset and Prefill first, and room in the sequence.");
        }

        if (_length > _promptLength)
        {
            _decode!.SetInput(_token, position: _length - 1);
            Run(_decode);
        }

        _token = _last.MostLikelyToken(_forbidden);
        _length++;
        return _token;
    }

    public void Dispose()
    {
        DropSequence();
        _runOptions.Dispose();
        _session.Dispose();
    }

    /// <summary>Generates two tokens under the profiler, which then ends: what follows is measured without it.</summary>
    private string? ProvePlacement(OrtProvider provider)
    {
        Reset(4);
        Prefill([0, 1]);
        NextToken();
        NextToken();
        string profile = _session.EndProfiling();
        DropSequence();
        string? warning = PlacementProfile.Warning(File.ReadAllBytes(profile), provider.OnnxRuntimeName);
        File.Delete(profile);
        return warning;
    }

    private void Run(Step step)
    {
        _last = null;
        try
        {
            step.Compute(_session, _runOptions);
        }
        catch (OnnxRuntimeException exception)
        {
            throw new EngineException($"ONNX Runtime failed while it computed {step.Tokens} tokens: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }

        _last = step;
    }

    private void DropSequence()
    {
        _prefill?.Dispose();
        _decode?.Dispose();
        _cache?.Dispose();
        (_prefill, _decode, _last, _cache) = (null, null, null, null);
    }
}
