using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>Keys or values of one layer that grow with the sequence, [1, KV heads, length, width]: what one call writes the next one
/// reads.</summary>
internal sealed class GrowingCache : IDisposable
{
    private readonly TensorElementType _type;
    private readonly string _past;
    private readonly string _present;
    private readonly long[] _shape;
    private OrtValue _read;
    private OrtValue _write;

    /// <exception cref="OnnxRuntimeException">There is not enough memory.</exception>
    public GrowingCache(DecoderGraph graph, string past, string present, int maxLength)
    {
        (_past, _present, _type) = (past, present, graph.CacheType);
        _shape = graph.CacheShape(past, maxLength);
        _read = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, _type, _shape);
        _write = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, _type, _shape);
    }

    /// <summary>Binds past and present at their lengths.</summary>
    /// <returns>What was bound; to be disposed after the call.</returns>
    public IEnumerable<OrtValue> BindTo(OrtIoBinding binding, int past, int total)
    {
        OrtValue read = View(_read, past);
        OrtValue write = View(_write, total);
        binding.BindInput(_past, read);
        binding.BindOutput(_present, write);
        return [read, write];
    }

    /// <summary>What was written is read from now on.</summary>
    public void Turn() => (_read, _write) = (_write, _read);

    public void Dispose()
    {
        _read.Dispose();
        _write.Dispose();
    }

    private OrtValue View(OrtValue buffer, int length) =>
        TensorView.Of(
            buffer,
            _type,
            [_shape[0], _shape[1], length, _shape[3]],
            buffer.GetTensorMutableRawData().Length / _shape[2] * length
        );
}
