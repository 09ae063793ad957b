using System.Globalization;
using System.Runtime.InteropServices;
using Llama3Perf.Models.Llama;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// A decode loop that stays on the device: the graph chooses the token and hands it, and its position, to the next step through
/// buffers in device memory. Only the token's id comes to the host.
/// </summary>
internal sealed class DeviceLoop : IDecodeLoop
{
    private readonly DecoderGraph _graph;
    private readonly DeviceCopy _copy;
    private readonly KeyValueCache _cache;
    private readonly RunOptions _promptOptions = new();
    private readonly RunOptions _stepOptions = new();
    private readonly OrtIoBinding _step;
    private readonly DeviceScalar _token;
    private readonly DeviceScalar _logit;
    private readonly OrtValue _end;
    private readonly OrtValue _positions;
    private readonly OrtValue _logits;
    private Prompt? _prompt;
    private OrtValue? _lastLogits;
    private bool _isJudged;

    /// <param name="graph">The loaded decoder, made by <see cref="DeviceLoopGraph"/>.</param>
    /// <param name="copy">To and from its device.</param>
    /// <param name="maxLength">Longest sequence.</param>
    /// <param name="graphId">Number of the captured step: one for each set of buffers in a session's life; null captures none.</param>
    /// <exception cref="OnnxRuntimeException">There is not enough memory.</exception>
    public DeviceLoop(DecoderGraph graph, DeviceCopy copy, int maxLength, int? graphId)
    {
        (_graph, _copy) = (graph, copy);
        _cache = new KeyValueCache(graph, maxLength);
        _token = new DeviceScalar(graph, TensorElementType.Int64);
        _logit = new DeviceScalar(graph, graph.LogitsType);
        _end = Device(TensorElementType.Int64, 1, 1);
        _positions = Device(TensorElementType.Int64, 1, maxLength);
        _logits = Device(graph.LogitsType, 1, 1, graph.Folder.VocabularySize);
        using (OrtValue positions = Positions(maxLength))
        {
            copy.Copy(positions, _positions);
        }

        _step = graph.Session.CreateIoBinding();
        _step.BindInput(graph.Folder.Names.InputIds, _token.OnDevice);
        _step.BindInput(graph.Folder.Names.AttentionMask, _positions);
        _step.BindInput(DeviceLoopGraph.SequenceEnd, _end);
        if (graph.PositionIds is { } name)
        {
            _step.BindInput(name, _end);
        }

        BindOutputs(_step, _logits);
        if (graphId is { } id)
        {
            _promptOptions.AddRunConfigEntry("gpu_graph_id", "-1");
            _stepOptions.AddRunConfigEntry("gpu_graph_id", id.ToString(CultureInfo.InvariantCulture));
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
        _lastLogits = _prompt.Logits;
    }

    public void Decode(int position)
    {
        _graph.Session.RunWithBinding(_stepOptions, _step);
        _step.SynchronizeBoundOutputs();
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
        return (int)BitConverter.ToInt64(_token.Read());
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
        _token.Dispose();
        _logit.Dispose();
        _step.Dispose();
        foreach (OrtValue value in (OrtValue[])[_end, _positions, _logits])
        {
            value.Dispose();
        }

        _cache.Dispose();
        _promptOptions.Dispose();
        _stepOptions.Dispose();
    }

    /// <summary>
    /// Runs the step until it is captured, over a sequence that nobody asked for: ONNX Runtime repeats a call by itself until it has
    /// captured, and each repetition would be a token too many of a real one.
    /// </summary>
    private void Capture()
    {
        using OrtValue zero = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, TensorElementType.Int64, [1, 1]);
        zero.GetTensorMutableDataAsSpan<long>()[0] = 0;
        for (int i = 0; i < 2; i++)
        {
            _copy.Copy(zero, _token.OnDevice);
            _copy.Copy(zero, _end);
            Decode(0);
        }
    }

    private void BindOutputs(OrtIoBinding binding, OrtValue logits)
    {
        _cache.BindTo(binding, _graph);
        binding.BindOutput(_graph.Folder.Names.Logits, logits);
        binding.BindOutput(DeviceLoopGraph.NextToken, _token.OnDevice);
        binding.BindOutput(DeviceLoopGraph.NextEnd, _end);
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
            loop.BindOutputs(_binding, Logits);
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
