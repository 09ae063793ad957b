using System.Globalization;
using System.Runtime.InteropServices;
using Llama3Perf.Models.Llama;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// A decode loop that stays on the device: the graph chooses the token and hands it, and its position, to the next step through
/// buffers in device memory. Only the token's id comes to the host. Where a step may not write what it reads, two steps take turns, each
/// captured by itself.
/// </summary>
internal sealed class DeviceLoop : IDecodeLoop
{
    private const string GraphId = "gpu_graph_id";

    private readonly DecoderGraph _graph;
    private readonly DeviceCopy _copy;
    private readonly KeyValueCache _cache;
    private readonly RunOptions _promptOptions = new();
    private readonly Handover[] _handovers;
    private readonly DecodeStep[] _steps;
    private readonly DeviceScalar _token;
    private readonly DeviceScalar _logit;
    private readonly OrtValue _positions;
    private readonly OrtValue _logits;
    private Prompt? _prompt;
    private OrtValue? _lastLogits;
    private bool _isJudged;

    // Read as soon as it is computed: on WebGPU that is what waits for the device, so that no time is taken before.
    private int _chosen;

    // Which of the handovers the next step reads.
    private int _turn;

    /// <param name="graph">The loaded decoder, made by <see cref="DeviceLoopGraph"/>.</param>
    /// <param name="copy">To and from its device.</param>
    /// <param name="maxLength">Longest sequence.</param>
    /// <param name="nextGraphId">Numbers of captured steps: one for each set of buffers in a session's life; null captures none.</param>
    /// <exception cref="OnnxRuntimeException">There is not enough memory.</exception>
    public DeviceLoop(DecoderGraph graph, DeviceCopy copy, int maxLength, Func<int>? nextGraphId)
    {
        (_graph, _copy) = (graph, copy);
        _cache = new KeyValueCache(graph, maxLength);
        _token = new DeviceScalar(graph, TensorElementType.Int32);
        _logit = new DeviceScalar(graph, graph.LogitsType);
        _positions = Device(TensorElementType.Int64, 1, maxLength);
        _logits = Device(graph.LogitsType, 1, 1, graph.Folder.VocabularySize);
        using (OrtValue positions = Positions(maxLength))
        {
            copy.Copy(positions, _positions);
        }

        _handovers = [.. Enumerable.Range(0, graph.Device is { UpdatesInPlace: false } ? 2 : 1).Select(_ => new Handover(graph))];
        _steps = [.. _handovers.Select((from, turn) => new DecodeStep(this, from, After(turn), nextGraphId?.Invoke()))];
        if (nextGraphId is not null)
        {
            _promptOptions.AddRunConfigEntry(GraphId, "-1");
            Capture();
        }
    }

    public int MaxLength => _cache.MaxLength;

    public void Restart() => _isJudged = false;

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        if (_prompt?.Length != prompt.Length)
        {
            _prompt?.Dispose();
            _prompt = null;
            _prompt = new Prompt(this, prompt.Length);
        }

        _prompt.Run(prompt);
        _chosen = BitConverter.ToInt32(_token.Read());
        _turn = 0;
        _lastLogits = _prompt.Logits;
    }

    public void Decode(int position)
    {
        _steps[_turn].Run();
        _chosen = BitConverter.ToInt32(_token.Read());
        _turn = (_turn + 1) % _steps.Length;
        _lastLogits = _logits;
    }

    public int Choose(bool isLast)
    {
        // What is no number stays none for the rest of a sequence, so its ends are looked at.
        if ((isLast || !_isJudged) && !IsFinite(_logit.Read()))
        {
            throw new EngineException($"{_graph.Folder.Path} gives NaN or infinite logits on this provider");
        }

        _isJudged = true;
        return _chosen;
    }

    public float[] LastLogits()
    {
        OrtTensorTypeAndShapeInfo info = _lastLogits!.GetTensorTypeAndShape();
        using OrtValue host = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, info.ElementDataType, info.Shape);
        _copy.Copy(_lastLogits, host);
        Span<byte> row = host.GetTensorMutableRawData();
        int size = _graph.Folder.VocabularySize;
        return _graph.LogitsType == TensorElementType.Float16
            ? Array.ConvertAll(MemoryMarshal.Cast<byte, Half>(row)[^size..].ToArray(), half => (float)half)
            : MemoryMarshal.Cast<byte, float>(row)[^size..].ToArray();
    }

    public void Dispose()
    {
        _prompt?.Dispose();
        foreach (IDisposable part in (IDisposable[])[.. _steps, .. _handovers, _token, _logit, _positions, _logits, _cache, _promptOptions])
        {
            part.Dispose();
        }
    }

    /// <summary>
    /// Runs the steps until they are captured, over a sequence that nobody asked for: ONNX Runtime repeats a call by itself until it has
    /// captured, and each repetition would be a token too many of a real one.
    /// </summary>
    private void Capture()
    {
        using OrtValue zero = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, 1]);
        zero.GetTensorMutableDataAsSpan<long>()[0] = 0;
        for (int i = 0; i < 2 * _steps.Length; i++)
        {
            _copy.Copy(zero, _handovers[_turn].Token);
            _copy.Copy(zero, _handovers[_turn].End);
            Decode(0);
        }
    }

    private Handover After(int turn) => _handovers[(turn + 1) % _handovers.Length];

    private void BindOutputs(OrtIoBinding binding, Handover to, OrtValue logits)
    {
        _cache.BindTo(binding, _graph);
        binding.BindOutput(_graph.Folder.Names.Logits, logits);
        binding.BindOutput(DeviceLoopGraph.NextToken, to.Token);
        binding.BindOutput(DeviceLoopGraph.NextEnd, to.End);
        binding.BindOutput(DeviceLoopGraph.NextTokenId, _token.OnDevice);
        binding.BindOutput(DeviceLoopGraph.NextLogit, _logit.OnDevice);
    }

    private bool IsFinite(ReadOnlySpan<byte> logit) =>
        _graph.LogitsType == TensorElementType.Float16
            ? Half.IsFinite(MemoryMarshal.Read<Half>(logit))
            : float.IsFinite(MemoryMarshal.Read<float>(logit));

    private OrtValue Device(TensorElementType type, params long[] shape) =>
        OrtValue.CreateAllocatedTensorValue(_graph.Allocator, type, shape);

    private static OrtValue Positions(int length)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, length]);
        Span<long> positions = value.GetTensorMutableDataAsSpan<long>();
        for (int i = 0; i < length; i++)
        {
            positions[i] = i;
        }

        return value;
    }

    /// <summary>What a call leaves for the next one: the token it chose, and the token's position.</summary>
    private sealed class Handover(DecoderGraph graph) : IDisposable
    {
        public OrtValue Token { get; } = OrtValue.CreateAllocatedTensorValue(graph.Allocator, TensorElementType.Int64, [1, 1]);

        public OrtValue End { get; } = OrtValue.CreateAllocatedTensorValue(graph.Allocator, TensorElementType.Int64, [1, 1]);

        public void Dispose()
        {
            Token.Dispose();
            End.Dispose();
        }
    }

    /// <summary>The call for one token, bound once.</summary>
    private sealed class DecodeStep : IDisposable
    {
        private readonly InferenceSession _session;
        private readonly OrtIoBinding _binding;
        private readonly RunOptions _options = new();

        public DecodeStep(DeviceLoop loop, Handover from, Handover to, int? graphId)
        {
            DecoderGraph graph = loop._graph;
            _session = graph.Session;
            _binding = _session.CreateIoBinding();
            _binding.BindInput(graph.Folder.Names.InputIds, from.Token);
            _binding.BindInput(graph.Folder.Names.AttentionMask, loop._positions);
            _binding.BindInput(DeviceLoopGraph.SequenceEnd, from.End);
            if (graph.PositionIds is { } name)
            {
                _binding.BindInput(name, from.End);
            }

            loop.BindOutputs(_binding, to, loop._logits);
            if (graphId is { } id)
            {
                _options.AddRunConfigEntry(GraphId, id.ToString(CultureInfo.InvariantCulture));
            }
        }

        public void Run()
        {
            _session.RunWithBinding(_options, _binding);
            _binding.SynchronizeBoundOutputs();
        }

        public void Dispose()
        {
            _binding.Dispose();
            _options.Dispose();
        }
    }

    /// <summary>The call for prompts of one length: inputs from the host, what it chooses goes where the steps read it.</summary>
    private sealed class Prompt : IDisposable
    {
        private readonly DeviceLoop _loop;
        private readonly OrtIoBinding _binding;
        private readonly OrtValue _inputIds;
        private readonly OrtValue _positions;
        private readonly OrtValue _end;

        public Prompt(DeviceLoop loop, int length)
        {
            _loop = loop;
            Length = length;
            _inputIds = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, length]);
            _positions = Positions(length);
            _end = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, 1]);
            _end.GetTensorMutableDataAsSpan<long>()[0] = length - 1;
            DecoderGraph graph = loop._graph;
            Logits = loop.Device(graph.LogitsType, 1, graph.HasLogitsOfAllPositions ? length : 1, graph.Folder.VocabularySize);
            _binding = graph.Session.CreateIoBinding();
            loop.BindOutputs(_binding, loop._handovers[0], Logits);
        }

        public int Length { get; }

        public OrtValue Logits { get; }

        public void Run(ReadOnlySpan<int> tokens)
        {
            System.Numerics.Tensors.TensorPrimitives.ConvertChecked(tokens, _inputIds.GetTensorMutableDataAsSpan<long>());

            // An input in CPU memory is copied to the device when it is bound, into memory that a captured step uses between two
            // prompts: it is bound anew each time.
            DecoderGraph graph = _loop._graph;
            _binding.BindInput(graph.Folder.Names.InputIds, _inputIds);
            _binding.BindInput(graph.Folder.Names.AttentionMask, _positions);
            _binding.BindInput(DeviceLoopGraph.SequenceEnd, _end);
            if (graph.PositionIds is { } name)
            {
                _binding.BindInput(name, _positions);
            }

            _binding.SynchronizeBoundInputs();
            graph.Session.RunWithBinding(_loop._promptOptions, _binding);
            _binding.SynchronizeBoundOutputs();
        }

        public void Dispose()
        {
            _binding.Dispose();
            foreach (OrtValue value in (OrtValue[])[_inputIds, _positions, _end, Logits])
            {
                value.Dispose();
            }
        }
    }
}
