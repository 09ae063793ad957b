using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Native;

/// <summary>A native library that is mapped into this process.</summary>
/// <param name="Name"><c>onnxruntime</c>, <c>onnxruntime-genai</c> or <c>DirectML</c>.</param>
/// <param name="Version">What the library says of itself, or null when it does not tell.</param>
/// <param name="Path">The file that it was really loaded from.</param>
/// <param name="Sha256">Hash of that file, lower-case hexadecimal: tells apart what bears one version; null when it cannot be read.</param>
public sealed record LoadedLibrary(string Name, string? Version, string Path, string? Sha256)
{
    /// <summary>What there is to know of it besides, one line; null when there is nothing.</summary>
    public string? Note { get; init; }
}

/// <summary>Asks the system's loader which files are mapped into this process.</summary>
internal static partial class LoadedModules
{
    /// <summary>Paths of the loaded files that are the library of this name, versioned names (<c>libx.so.1</c>) included.</summary>
    public static IReadOnlyList<string> PathsOf(string name) =>
        [.. All().Where(path => NativeLibraries.IsFileOf(name, Path.GetFileName(path))).Distinct(StringComparer.Ordinal)];

    private static IEnumerable<string> All() => OperatingSystem.IsMacOS() ? Images() : Modules();

    private static List<string> Modules()
    {
        using Process self = Process.GetCurrentProcess();
        return [.. self.Modules.Cast<ProcessModule>().Select(module => module.FileName)];
    }

    // Process.Modules knows only the executable on macOS.
    private static IEnumerable<string> Images()
    {
        for (uint i = 0; i < ImageCount(); i++)
        {
            if (Marshal.PtrToStringUTF8(ImageName(i)) is { } path)
            {
                yield return path;
            }
        }
    }

    [LibraryImport("libSystem.dylib", EntryPoint = "_dyld_image_count")]
    private static partial uint ImageCount();

    [LibraryImport("libSystem.dylib", EntryPoint = "_dyld_get_image_name")]
    private static partial nint ImageName(uint index);
}
