using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Llama3Perf.Inference.Machine;

/// <summary>Adapters as DXGI enumerates them. Calls go through the interfaces' tables of functions, in the order of dxgi.h and
/// dxgi1_4.h.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class Dxgi
{
    private const int QueryInterface = 0;
    private const int Release = 2;
    private const int AdapterGetDesc1 = 10;
    private const int FactoryEnumAdapters1 = 12;
    private const int AdapterQueryVideoMemoryInfo = 14;
    private const int FactoryEnumAdapterByGpuPreference = 29;
    private const int HighPerformance = 2;

    // One adapter can have several nodes and two segments: local memory of its own and shared memory of the machine.
    private const int LocalSegment = 0;
    private const int NonLocalSegment = 1;

    private static readonly Guid s_factory1 = new("770aae78-f26f-4dba-a829-253c83d1b387");
    private static readonly Guid s_factory6 = new("c1b6694f-ff09-44a9-b03c-77900a0a1d17");
    private static readonly Guid s_adapter1 = new("29038f61-3839-4626-91fd-086879011a05");
    private static readonly Guid s_adapter3 = new("645967a4-1392-4310-a798-8053ce3e93fd");

    /// <summary>All adapters in DXGI's order, without their drivers.</summary>
    public static IReadOnlyList<GpuInfo> Adapters()
    {
        List<GpuInfo> gpus = [];
        ForEachAdapter(adapter =>
        {
            if (Describe(adapter) is { } description)
            {
                gpus.Add(WindowsParser.Adapter(gpus.Count, description));
            }
        });
        return gpus;
    }

    /// <summary>
    /// LUID of the adapter that Windows takes for high performance, which is what onnxruntime-genai and ONNX Runtime ask for when
    /// nobody names one; null before Windows 10 1803, which ranks none.
    /// </summary>
    public static string? HighPerformanceLuid()
    {
        string? luid = null;
        WithFactory(factory =>
        {
            nint newer;
            Guid id = s_factory6;
            if (((delegate* unmanaged[Stdcall]<nint, Guid*, nint*, int>)Method(factory, QueryInterface))(factory, &id, &newer) < 0)
            {
                return;
            }

            nint adapter;
            Guid adapterId = s_adapter1;
            if (
                ((delegate* unmanaged[Stdcall]<nint, uint, int, Guid*, nint*, int>)Method(newer, FactoryEnumAdapterByGpuPreference))(
                    newer,
                    0,
                    HighPerformance,
                    &adapterId,
                    &adapter
                ) >= 0
            )
            {
                luid = Describe(adapter) is { } description ? WindowsParser.Adapter(0, description).Luid : null;
                Free(adapter);
            }

            Free(newer);
        });
        return luid;
    }

    /// <summary>Bytes of video memory that this process uses on all adapters, own and shared; null where no adapter tells.</summary>
    public static long? CurrentUsage()
    {
        long? sum = null;
        ForEachAdapter(adapter =>
        {
            nint newer;
            Guid id = s_adapter3;
            if (((delegate* unmanaged[Stdcall]<nint, Guid*, nint*, int>)Method(adapter, QueryInterface))(adapter, &id, &newer) < 0)
            {
                return;
            }

            foreach (int segment in (ReadOnlySpan<int>)[LocalSegment, NonLocalSegment])
            {
                VideoMemoryInfo info;
                if (
                    ((delegate* unmanaged[Stdcall]<nint, uint, int, VideoMemoryInfo*, int>)Method(newer, AdapterQueryVideoMemoryInfo))(
                        newer,
                        0,
                        segment,
                        &info
                    ) >= 0
                )
                {
                    sum = (sum ?? 0) + (long)info.CurrentUsage;
                }
            }
            Free(newer);
        });
        return sum;
    }

    private static AdapterDescription? Describe(nint adapter)
    {
        AdapterDescription description;
        return ((delegate* unmanaged[Stdcall]<nint, AdapterDescription*, int>)Method(adapter, AdapterGetDesc1))(adapter, &description) >= 0
            ? description
            : null;
    }

    private static void ForEachAdapter(Action<nint> visit) =>
        WithFactory(factory =>
        {
            nint adapter;
            for (
                uint i = 0;
                ((delegate* unmanaged[Stdcall]<nint, uint, nint*, int>)Method(factory, FactoryEnumAdapters1))(factory, i, &adapter) >= 0;
                i++
            )
            {
                try
                {
                    visit(adapter);
                }
                finally
                {
                    Free(adapter);
                }
            }
        });

    private static void WithFactory(Action<nint> use)
    {
        nint factory;
        Guid id = s_factory1;
        Marshal.ThrowExceptionForHR(CreateDXGIFactory1(&id, &factory));
        try
        {
            use(factory);
        }
        finally
        {
            Free(factory);
        }
    }

    private static nint Method(nint instance, int index) => (*(nint**)instance)[index];

    private static void Free(nint instance) => ((delegate* unmanaged[Stdcall]<nint, uint>)Method(instance, Release))(instance);

    [LibraryImport("dxgi.dll")]
    private static partial int CreateDXGIFactory1(Guid* id, nint* factory);

    // DXGI_QUERY_VIDEO_MEMORY_INFO
    [StructLayout(LayoutKind.Sequential)]
    private struct VideoMemoryInfo
    {
        public ulong Budget;
        public ulong CurrentUsage;
        public ulong AvailableForReservation;
        public ulong CurrentReservation;
    }
}

/// <summary>DXGI_ADAPTER_DESC1.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct AdapterDescription
{
    public AdapterName Name;
    public uint VendorId;
    public uint DeviceId;
    public uint SubSysId;
    public uint Revision;
    public nuint DedicatedVideoMemory;
    public nuint DedicatedSystemMemory;
    public nuint SharedSystemMemory;
    public uint LuidLow;
    public int LuidHigh;
    public uint Flags;
}

/// <summary>UTF-16 text, ended by a zero where it is shorter.</summary>
[InlineArray(128)]
internal struct AdapterName
{
    private char _first;
}
