using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>The memory of the device that a session runs on. The CPU needs none: there is nothing to carry.</summary>
internal sealed class OrtDevice : IDisposable
{
    private readonly int? _cudaDevice;

    private OrtDevice(InferenceSession session, OrtMemoryInfo memory, int? cudaDevice, bool updatesInPlace)
    {
        (Memory, _cudaDevice, UpdatesInPlace) = (memory, cudaDevice, updatesInPlace);
        Allocator = new OrtAllocator(session, memory);
    }

    public OrtMemoryInfo Memory { get; }

    public OrtAllocator Allocator { get; }

    /// <summary>True when a call may write a number that it reads, into the same buffer.</summary>
    public bool UpdatesInPlace { get; }

    /// <summary>The memory of a session's provider.</summary>
    /// <exception cref="EngineException">The session has no such memory.</exception>
    public static OrtDevice Of(InferenceSession session, OrtProvider provider, EngineOptions options)
    {
        OrtMemoryInfo memory = provider.DeviceMemory(options);
        try
        {
            int? cudaDevice = provider.Provider == ExecutionProvider.Cuda ? provider.DeviceIndex(options) : null;
            return new OrtDevice(session, memory, cudaDevice, provider.UpdatesInPlace);
        }
        catch (OnnxRuntimeException exception)
        {
            memory.Dispose();
            throw OrtSession.Failure($"has no {provider.MemoryName} memory", exception);
        }
    }

    /// <summary>The CPU in the part of a device, for tests of what devices need.</summary>
    internal static OrtDevice OfCpu(InferenceSession session, bool updatesInPlace = true) =>
        new(
            session,
            new OrtMemoryInfo(OrtMemoryInfo.allocatorCPU, OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default),
            cudaDevice: null,
            updatesInPlace
        );

    /// <summary>Memory that the device writes and the host reads in place; null where the provider has none.</summary>
    public CudaHostMemory? HostMemory(nuint bytes) => _cudaDevice is { } device ? CudaHostMemory.TryAllocate(device, bytes) : null;

    public void Dispose()
    {
        Allocator.Dispose();
        Memory.Dispose();
    }
}
