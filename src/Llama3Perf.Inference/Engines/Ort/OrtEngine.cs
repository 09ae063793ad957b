using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Our own decode over ONNX Runtime. Where the graph appends to its cache in place, past and present are the same buffers, all inputs and
/// outputs are bound once, and a decode step allocates nothing managed. Buffers outlive Reset: as long as neither the max length nor the
/// prompt's length changes, a generation
/// allocates nothing at all.
/// </summary>
internal sealed class OrtEngine : IEngine
{
    private readonly InferenceSession _session;
    private readonly DecoderGraph? _graph;
    private readonly DeviceCopy? _copy;
    private readonly int[] _forbidden;
    private readonly DecodeLoop _kind;
    private readonly bool _captures;
    private IDecodeLoop? _loop;
    private int _promptLength;

    // Graphs stay in a session for its life, each with the buffers that it was captured over.
    private int _lastGraphId;

    // Tokens of the sequence, the last one not yet computed; 0 when there is none that could go on.
    private int _length;

    public OrtEngine(ModelFolder folder, EngineOptions options)
    {
        _forbidden = options.AllowEos ? [] : [.. folder.EosTokenIds.Where(id => id < folder.VocabularySize)];
        int threads = options.Threads ?? PhysicalCores.Count;
        OrtProvider? provider = OrtProvider.Of(options.Provider);
        _kind = options.Loop ?? OrtProvider.LoopOn(options.Provider);
        if (_kind == DecodeLoop.Device && (folder.Family == GraphFamily.Growing || folder.LongRopeLength is not null))
        {
            throw new EngineException(
                $"{folder.Path} wants other lengths at every step, which a loop on the device cannot give it: use --loop host"
            );
        }

        _captures = provider is not null && provider.CapturesWith(options);
        byte[]? graph =
            _kind == DecodeLoop.Device ? DeviceLoopGraph.Create(folder, _forbidden)
            : options.FloatActivations ? FloatActivationGraph.Create(folder)
            : null;
        using PlacementProof? proof = provider is null ? null : new PlacementProof(provider);
        _session = OrtSession.Open(folder, options, threads, proof?.ProfilePrefix, graph, _captures);
        try
        {
            OrtProvider? device = provider?.MemoryName is null ? null : provider;
            _copy = device is null && _kind == DecodeLoop.Host ? null : new DeviceCopy(bytes => OrtSession.OpenSmall(bytes, options));
            _graph = new DecoderGraph(folder, _session, device is null ? null : OrtDevice.Of(_session, device, options), _copy);
            Description = new EngineDescription("ort", options.Provider)
            {
                Threads = threads,
                PlacementWarning = proof?.Warning(this, _session),
                Notes = provider?.Caution(_captures) is { } caution ? [caution] : null,
            };
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public EngineDescription Description { get; }

    public float[] LastLogits() => _length > 0 ? _loop!.LastLogits() : throw new InvalidOperationException("Nothing was computed yet.");

    public void Reset(int maxLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        if (maxLength > _graph!.Folder.ContextLength)
        {
            throw new EngineException(
                $"a sequence of {maxLength} tokens is longer than the context of {_graph.Folder.ContextLength} of {_graph.Folder.Path}"
            );
        }

        _length = 0;
        if (_loop?.MaxLength != maxLength)
        {
            DropSequence();
            try
            {
                _loop =
                    _kind == DecodeLoop.Device ? new DeviceLoop(_graph, _copy!, maxLength, _captures ? () => ++_lastGraphId : null)
                    : _graph.Folder.Family == GraphFamily.Growing ? new GrowingLoop(_graph, maxLength, _forbidden)
                    : new HostLoop(_graph, maxLength, _forbidden);
            }
            catch (OnnxRuntimeException exception)
            {
                throw OrtSession.Failure($"cannot make a KV cache of {maxLength} tokens", exception);
            }
        }

        _loop.Restart();
    }

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        if (_loop is null || _length != 0)
        {
            throw new InvalidOperationException(
                "Prefill is called once after each Reset: DirectML computes a second part of a prompt wrongly."
            );
        }

        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(prompt.Length, _loop.MaxLength, nameof(prompt));
        try
        {
            _loop.Prefill(prompt);
        }
        catch (OnnxRuntimeException exception)
        {
            DropSequence();
            throw OrtSession.Failure($"failed in the prompt of {prompt.Length} tokens", exception);
        }

        _length = _promptLength = prompt.Length;
    }

    public int NextToken()
    {
        if (_length == 0 || _length >= _loop!.MaxLength)
        {
            throw new InvalidOperationException("NextToken needs Reset and Prefill first, and room in the sequence.");
        }

        // What failed must not be continued, and its cache may hold what is no number: the next sequence gets a new one.
        IDecodeLoop loop = _loop;
        try
        {
            if (_length > _promptLength)
            {
                loop.Decode(_length - 1);
            }

            int token = loop.Choose(isLast: _length + 1 == loop.MaxLength);
            _length++;
            return token;
        }
        catch (EngineException)
        {
            DropSequence();
            throw;
        }
        catch (OnnxRuntimeException exception)
        {
            int failed = _length;
            DropSequence();
            throw OrtSession.Failure($"failed in token {failed}", exception);
        }
    }

    public void Dispose()
    {
        DropSequence();
        _copy?.Dispose();
        _graph?.Dispose();
        _session.Dispose();
    }

    internal void DropSequence()
    {
        _loop?.Dispose();
        _loop = null;
        _length = 0;
    }
}
