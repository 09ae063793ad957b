using Llama3Perf.Models;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Keys and values of all layers, each [1, KV heads, max length, head size]. Every page is touched once here, so that no step pays for it.</summary>
internal sealed class KeyValueCache : IDisposable
{
    private readonly OrtAllocator? _deviceMemory;
    private readonly OrtValue[] _keys;
    private readonly OrtValue[] _values;

    public KeyValueCache(DecoderGraph graph, int maxLength)
    {
        MaxLength = maxLength;
        ModelFolder folder = graph.Folder;
        long[] shape = [1, folder.KeyValueHeadCount, maxLength, folder.HeadSize];
        if (graph.Provider is { } provider)
        {
            // Device providers compute garbage without an error when these buffers lie in CPU memory.
            using OrtMemoryInfo memory = new(provider.MemoryName, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
            _deviceMemory = new OrtAllocator(graph.Session, memory);
        }

        _keys = [.. Enumerable.Range(0, folder.LayerCount).Select(_ => Allocate(graph, shape, _deviceMemory))];
        _values = [.. Enumerable.Range(0, folder.LayerCount).Select(_ => Allocate(graph, shape, _deviceMemory))];
    }

    public int MaxLength { get; }

    /// <summary>Binds each buffer as past and as present: the graph then appends in place.</summary>
    public void BindTo(OrtIoBinding binding, DecoderGraph graph)
    {
        for (int layer = 0; layer < _keys.Length; layer++)
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

        _deviceMemory?.Dispose();
    }

    private static OrtValue Allocate(DecoderGraph graph, long[] shape, OrtAllocator? deviceMemory)
    {
        if (deviceMemory is not null)
        {
            return OrtValue.CreateAllocatedTensorValue(deviceMemory, graph.CacheType, shape);
        }

        OrtValue value = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, graph.CacheType, shape);
        value.GetTensorMutableRawData().Clear();
        return value;
    }
}
