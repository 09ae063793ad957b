using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Native;

/// <summary>The two functions behind <c>OrtGetApiBase</c>, the one entry point that every ONNX Runtime has. Usable before the managed
/// package is.</summary>
internal static unsafe class OrtApiBase
{
    /// <summary>
    /// The version of the API table that has every entry the managed package binds: its newest ones (GetHardwareDevices,
    /// GetCompatibilityInfoFromModelBytes) came with 1.24. The package itself asks for 14 and reads on.
    /// </summary>
    public const uint NeededVersion = 24;

    /// <summary>The newest version that this program was tried with; newer ones are used all the same.</summary>
    public const uint NewestTried = 31;

    /// <summary>The library's own version, <c>1.24.4</c>; null when it is not ONNX Runtime.</summary>
    public static string? Version(nint library)
    {
        Table* table = Get(library);
        return table == null ? null : Marshal.PtrToStringUTF8(table->GetVersionString());
    }

    /// <summary>True when the library offers this version of the API table. Where it does not, it says so on standard error too.</summary>
    public static bool Offers(nint library, uint apiVersion)
    {
        Table* table = Get(library);
        return table != null && table->GetApi(apiVersion) != 0;
    }

    private static Table* Get(nint library) =>
        NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint entry) ? ((delegate* unmanaged<Table*>)entry)() : null;

    [StructLayout(LayoutKind.Sequential)]
    private struct Table
    {
        public delegate* unmanaged<uint, nint> GetApi;
        public delegate* unmanaged<nint> GetVersionString;
    }
}
