using System.Runtime.InteropServices;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Computes a folder's graph by ONNX Runtime and reads the tensors between its nodes: a prefill, then a decode step.</summary>
internal sealed class GraphProbe : IDisposable
{
    private readonly IReadOnlyList<ProbedTensor> _tensors;
    private readonly InferenceSession _session;
    private readonly DeviceCopy? _copy;
    private readonly DecoderGraph _graph;
    private readonly KeyValueCache? _cache;
    private readonly int _maxLength;

    /// <param name="folder">What is computed.</param>
    /// <param name="options">Where, and how.</param>
    /// <param name="maxLength">Longest sequence.</param>
    /// <param name="graph">The graph, as an ONNX file over the folder's data.</param>
    /// <param name="tensors">What it gives beside logits and cache.</param>
    /// <exception cref="EngineException">The graph cannot be loaded there.</exception>
    public GraphProbe(ModelFolder folder, EngineOptions options, int maxLength, byte[] graph, IReadOnlyList<ProbedTensor> tensors)
    {
        ProviderRules.Check(folder, options);
        _maxLength = maxLength;
        _tensors = tensors;
        var provider = OrtProvider.Of(options.Provider);
        _session = OrtSession.Open(folder, options, options.Threads ?? PhysicalCores.Count, profilePrefix: null, graph);
        try
        {
            _copy = provider is null ? null : new DeviceCopy(bytes => OrtSession.OpenSmall(bytes, options));
            _graph = new DecoderGraph(folder, _session, provider is null ? null : OrtDevice.Of(_session, provider, options), _copy);
            _cache = folder.Family == GraphFamily.Growing ? null : new KeyValueCache(_graph, maxLength);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Computes tokens behind those that were computed before.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="past">How many came before; 0 for the start of a sequence. A cache that grows knows the start alone.</param>
    /// <returns>Values of every tensor of floating point numbers, the logits among them, by name.</returns>
    /// <exception cref="EngineException">ONNX Runtime failed.</exception>
    public IReadOnlyDictionary<string, float[]> Compute(ReadOnlySpan<int> tokens, int past)
    {
        // GroupQueryAttention takes a mask as long as its tokens for the start of a sequence.
        long[] mask = new long[past == 0 ? tokens.Length : _maxLength];
        mask.AsSpan(0, past + tokens.Length).Fill(1);
        long[] ids = new long[tokens.Length];
        long[] positions = new long[tokens.Length];
        for (int i = 0; i < tokens.Length; i++)
        {
            (ids[i], positions[i]) = (tokens[i], past + i);
        }

        List<OrtValue> inputs = [];
        try
        {
            using OrtIoBinding binding = _session.CreateIoBinding();
            Bind(_graph.Folder.Names.InputIds, ids);
            Bind(_graph.Folder.Names.AttentionMask, mask);
            if (_graph.PositionIds is { } name)
            {
                Bind(name, positions);
            }

            BindCache(binding, inputs);
            binding.BindOutputToDevice(_graph.Folder.Names.Logits, OrtMemoryInfo.DefaultInstance);
            foreach (ProbedTensor tensor in _tensors)
            {
                binding.BindOutputToDevice(tensor.Tensor, OrtMemoryInfo.DefaultInstance);
            }

            binding.SynchronizeBoundInputs();
            using RunOptions options = new();
            _session.RunWithBinding(options, binding);
            binding.SynchronizeBoundOutputs();
            return Read(binding);

            void Bind(string input, long[] values)
            {
                var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, values.AsMemory(), [1, values.Length]);
                inputs.Add(value);
                binding.BindInput(input, value);
            }
        }
        catch (OnnxRuntimeException exception)
        {
            throw OrtSession.Failure($"failed in the probed graph of {_graph.Folder.GraphPath}", exception);
        }
        finally
        {
            inputs.ForEach(value => value.Dispose());
        }
    }

    /// <summary>Keys and values that a layer left in the cache: for each KV head the rows of its tokens.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="length">Tokens that were computed.</param>
    public (float[][] Keys, float[][] Values) Cache(int layer, int length) => _cache!.Read(layer, length);

    public void Dispose()
    {
        _cache?.Dispose();
        _copy?.Dispose();
        _graph?.Dispose();
        _session.Dispose();
    }

    private void BindCache(OrtIoBinding binding, List<OrtValue> inputs)
    {
        if (_cache is not null)
        {
            _cache.BindTo(binding, _graph);
            return;
        }

        for (int layer = 0; layer < _graph.Folder.LayerCount; layer++)
        {
            foreach (
                (string past, string present) in ((string, string)[])
                    [(_graph.PastKey(layer), _graph.PresentKey(layer)), (_graph.PastValue(layer), _graph.PresentValue(layer))]
            )
            {
                var empty = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, _graph.CacheType, _graph.CacheShape(past, 0));
                inputs.Add(empty);
                binding.BindInput(past, empty);
                binding.BindOutputToDevice(present, OrtMemoryInfo.DefaultInstance);
            }
        }
    }

    private static Dictionary<string, float[]> Read(OrtIoBinding binding)
    {
        Dictionary<string, float[]> values = [];
        string[] names = binding.GetOutputNames();
        using IDisposableReadOnlyCollection<OrtValue> outputs = binding.GetOutputValues();
        for (int i = 0; i < names.Length; i++)
        {
            if (!outputs[i].IsTensor || names[i].StartsWith("present", StringComparison.Ordinal))
            {
                continue;
            }

            OrtTensorTypeAndShapeInfo info = outputs[i].GetTensorTypeAndShape();
            if (info.ElementDataType == TensorElementType.Float)
            {
                values[names[i]] = outputs[i].GetTensorDataAsSpan<float>().ToArray();
            }
            else if (info.ElementDataType == TensorElementType.Float16)
            {
                ReadOnlySpan<Half> halves = MemoryMarshal.Cast<Float16, Half>(outputs[i].GetTensorDataAsSpan<Float16>());
                values[names[i]] = Array.ConvertAll(halves.ToArray(), half => (float)half);
            }
        }

        return values;
    }
}
