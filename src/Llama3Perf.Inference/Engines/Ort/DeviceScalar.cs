using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>One number, [1, 1], that a device writes and reads and the host reads after each step.</summary>
internal sealed class DeviceScalar : IDisposable
{
    private readonly int _bytes;
    private readonly CudaHostMemory? _shared;
    private readonly OrtValue? _host;
    private readonly DeviceCopy.Bound? _download;

    public DeviceScalar(DecoderGraph graph, TensorElementType type)
    {
        _bytes = type switch
        {
            TensorElementType.Float16 => 2,
            _ => 4,
        };
        _shared = graph.Device?.HostMemory((nuint)_bytes);
        if (_shared is not null)
        {
            OnDevice = OrtValue.CreateTensorValueWithData(graph.Device!.Memory, type, [1, 1], _shared.Address, _bytes);
            return;
        }

        OnDevice = OrtValue.CreateAllocatedTensorValue(graph.Allocator, type, [1, 1]);
        _host = OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, type, [1, 1]);
        _download = graph.Copy!.Bind(OnDevice, _host);
    }

    /// <summary>What steps are bound to.</summary>
    public OrtValue OnDevice { get; }

    /// <summary>The number's bytes as the last step that was waited for left them; valid until the next one.</summary>
    public unsafe ReadOnlySpan<byte> Read()
    {
        if (_shared is not null)
        {
            return new ReadOnlySpan<byte>((void*)_shared.Address, _bytes);
        }

        _download!.Run();
        return _host!.GetTensorMutableRawData();
    }

    public void Dispose()
    {
        _download?.Dispose();
        _host?.Dispose();
        OnDevice.Dispose();
        _shared?.Dispose();
    }
}
