using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Keys and values of all layers, each [1, KV heads, max length, head size], in the device's memory where the graph runs on one:
/// device providers compute garbage without an error when these buffers lie in CPU memory.
/// </summary>
internal sealed class KeyValueCache : IDisposable
{
    private readonly List<OrtValue> _keys = [];
    private readonly List<OrtValue> _values = [];

    /// <exception cref="OnnxRuntimeException">There is not enough memory.</exception>
    public KeyValueCache(DecoderGraph graph, int maxLength)
    {
        MaxLength = maxLength;
        ModelFolder folder = graph.Folder;
        long[] shape = [1, folder.KeyValueHeadCount, maxLength, folder.HeadSize];
        try
        {
            for (int layer = 0; layer < folder.LayerCount; layer++)
            {
                _keys.Add(Allocate(graph, shape));
                _values.Add(Allocate(graph, shape));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int MaxLength { get; }

    /// <summary>Binds each buffer as past and as present: the graph then appends in place.</summary>
    public void BindTo(OrtIoBinding binding, DecoderGraph graph)
    {
        for (int layer = 0; layer < _keys.Count; layer++)
        {
            binding.BindInput(graph.PastKey(layer), _keys[layer]);
            binding.BindInput(graph.PastValue(layer), _values[layer]);
            binding.BindOutput(graph.PresentKey(layer), _keys[layer]);
            binding.BindOutput(graph.PresentValue(layer), _values[layer]);
        }
    }

    public void Dispose()
    {
        foreach (OrtValue value in _keys.Concat(_values))
        {
            value.Dispose();
        }
    }

    private static OrtValue Allocate(DecoderGraph graph, long[] shape)
    {
        if (graph.DeviceMemory is { } memory)
        {
            return OrtValue.CreateAllocatedTensorValue(memory, graph.CacheType, shape);
        }

        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, graph.CacheType, shape);
        // Touches every page, so that no step pays for it.
        value.GetTensorMutableRawData().Clear();
        return value;
    }
}
