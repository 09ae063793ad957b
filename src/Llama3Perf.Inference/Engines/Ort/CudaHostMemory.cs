using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Page-locked host memory that CUDA devices write in place: what a kernel stores there is on the host when its stream has been waited
/// for, without a copy. A copy of eight bytes costs as much as two kernels.
/// </summary>
internal sealed unsafe class CudaHostMemory : SafeHandle
{
    // Usable from every device, under one address for host and devices.
    private const uint PortableAndMapped = 1 | 2;

    private static readonly string[] s_libraries = ["libcudart.so.13", "libcudart.so.12", "cudart64_13.dll", "cudart64_12.dll"];

    private readonly delegate* unmanaged<void*, int> _free;

    private CudaHostMemory(nint pointer, delegate* unmanaged<void*, int> free)
        : base(0, ownsHandle: true)
    {
        _free = free;
        SetHandle(pointer);
    }

    public override bool IsInvalid => handle == 0;

    public nint Address => handle;

    /// <summary>Memory of CUDA's runtime library, which the provider has loaded; null where it cannot be had.</summary>
    /// <param name="device">CUDA's number of the device that uses it: no other one is woken.</param>
    /// <param name="bytes">Its size.</param>
    public static CudaHostMemory? TryAllocate(int device, nuint bytes)
    {
        foreach (string name in s_libraries)
        {
            if (
                NativeLibrary.TryLoad(name, out nint library)
                && NativeLibrary.TryGetExport(library, "cudaSetDevice", out nint setDevice)
                && NativeLibrary.TryGetExport(library, "cudaHostAlloc", out nint allocate)
                && NativeLibrary.TryGetExport(library, "cudaFreeHost", out nint free)
            )
            {
                void* pointer;
                return
                    ((delegate* unmanaged<int, int>)setDevice)(device) == 0
                    && ((delegate* unmanaged<void**, nuint, uint, int>)allocate)(&pointer, bytes, PortableAndMapped) == 0
                    ? new CudaHostMemory((nint)pointer, (delegate* unmanaged<void*, int>)free)
                    : null;
            }
        }

        return null;
    }

    protected override bool ReleaseHandle() => _free((void*)handle) == 0;
}
