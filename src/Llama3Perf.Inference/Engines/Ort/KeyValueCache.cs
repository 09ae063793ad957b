using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Keys and values of all layers, each [1, KV heads, max length, head size as it is stored], in the device's memory where the graph runs on
/// one:
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
        try
        {
            for (int layer = 0; layer < graph.Folder.LayerCount; layer++)
            {
                _keys.Add(Allocate(graph, graph.CacheShape(graph.PastKey(layer), maxLength)));
                _values.Add(Allocate(graph, graph.CacheShape(graph.PastValue(layer), maxLength)));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public int MaxLength { get; }

    /// <summary>All of them.</summary>
    internal IEnumerable<OrtValue> Buffers => _keys.Concat(_values);

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

    /// <summary>A layer's keys and values of floating point numbers, in CPU memory: for each head its first rows.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="length">Tokens that were computed.</param>
    public (float[][] Keys, float[][] Values) Read(int layer, int length)
    {
        return (Rows(_keys[layer]), Rows(_values[layer]));

        float[][] Rows(OrtValue buffer)
        {
            OrtTensorTypeAndShapeInfo info = buffer.GetTensorTypeAndShape();
            float[] all =
                info.ElementDataType == TensorElementType.Float16
                    ? Array.ConvertAll(MemoryMarshal.Cast<Float16, Half>(buffer.GetTensorDataAsSpan<Float16>()).ToArray(), h => (float)h)
                    : buffer.GetTensorDataAsSpan<float>().ToArray();
            (int rows, int width) = (length * (int)info.Shape[3], MaxLength * (int)info.Shape[3]);
            return [.. all.Chunk(width).Select(head => head[..rows])];
        }
    }

    public void Dispose()
    {
        foreach (OrtValue value in Buffers)
        {
            value.Dispose();
        }
    }

    private static OrtValue Allocate(DecoderGraph graph, long[] shape)
    {
        OrtValue value = OrtValue.CreateAllocatedTensorValue(graph.Allocator, graph.CacheType, shape);
        try
        {
            if (graph.Device is null)
            {
                // Touches every page, so that no step pays for it.
                value.GetTensorMutableRawData().Clear();
            }
            else
            {
                // Device memory comes as it was left, and attention also reads rows that no token has filled: a NaN there is a NaN
                // in every logit. What a sequence leaves behind is finite, so that clearing once is enough.
                graph.Copy!.Clear(value);
            }

            return value;
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }
}
