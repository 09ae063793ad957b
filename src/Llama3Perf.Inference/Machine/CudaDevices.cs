using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Machine;

/// <summary>
/// The numbers that CUDA gives adapters in this process: those of nvidia-smi, by their place on the PCI bus, unless the user's
/// <c>CUDA_DEVICE_ORDER</c> says otherwise or <c>CUDA_VISIBLE_DEVICES</c> hides some.
/// </summary>
public static partial class CudaDevices
{
    // Places on the bus are known on Linux only.
    private const string Driver = "libcuda.so.1";

    /// <summary>CUDA's number of an adapter; null where its place on the bus is not known, or the driver does not show it.</summary>
    public static int? IndexOf(GpuInfo gpu)
    {
        try
        {
            return gpu.PciBusId is { } bus && Initialize(0) == 0 && DeviceAt(out int device, bus) == 0 ? device : null;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    [LibraryImport(Driver, EntryPoint = "cuInit")]
    private static partial int Initialize(uint flags);

    [LibraryImport(Driver, EntryPoint = "cuDeviceGetByPCIBusId", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int DeviceAt(out int device, string pciBusId);
}
