using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace Llama3Perf.Inference.Native;

/// <summary>What a loaded file says of itself, and its hash, which says more.</summary>
internal static class LibraryIdentity
{
    private static readonly ConcurrentDictionary<string, string?> s_hashes = new(StringComparer.Ordinal);

    /// <summary>A loaded library with its version and hash.</summary>
    public static LoadedLibrary Of(string name, string path)
    {
        string? version = Version(name, path);
        return new LoadedLibrary(name, version, path, s_hashes.GetOrAdd(path, Hash)) { Note = Note(name, version) };
    }

    private static string? Version(string name, string path)
    {
        if (name == NativeLibraries.OnnxRuntime)
        {
            return NativeLibraries.OnnxRuntimeVersion;
        }

        if (OperatingSystem.IsWindows())
        {
            return FileVersionInfo.GetVersionInfo(path).ProductVersion;
        }

        // onnxruntime-genai has no call that tells its version: the package or the wheel does that it came in.
        return name == NativeLibraries.GenAi ? PackageVersion(path) ?? WheelVersion(path) : null;
    }

    private static string? PackageVersion(string path) =>
        Array.Exists(NativeLibraries.PackagedFolders, folder => IsIn(folder, path))
            ? NativeLibraries.Metadata("GenAiPackageVersion")
            : null;

    private static bool IsIn(string folder, string path) =>
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) == Path.GetDirectoryName(path);

    // Beside site-packages/onnxruntime_genai lies onnxruntime_genai-0.18.0.dist-info; its variants have a word more before the version.
    private static string? WheelVersion(string path)
    {
        const string Ending = ".dist-info";
        if (Path.GetDirectoryName(Path.GetDirectoryName(path)) is not { } packages || !Directory.Exists(packages))
        {
            return null;
        }

        return Directory
            .EnumerateDirectories(packages, "onnxruntime_genai*" + Ending)
            .Select(folder => Path.GetFileName(folder)[..^Ending.Length].Split('-'))
            .FirstOrDefault(parts => parts.Length == 2)
            ?[1];
    }

    private static string? Hash(string path)
    {
        try
        {
            using FileStream file = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>What to know of a library beside its version: nobody tried it yet, or it tells none; null when there is nothing.</summary>
    internal static string? Note(string name, string? version) =>
        (name, version) switch
        {
            (NativeLibraries.OnnxRuntime, { } known) when Minor(known) > OrtApiBase.NewestTried =>
                $"newer than 1.{OrtApiBase.NewestTried}, the newest that this program was tried with",
            (NativeLibraries.GenAi, { } known) when Minor(known) > NewestGenAiTried =>
                $"newer than 0.{NewestGenAiTried}, the newest that this program was tried with",
            (NativeLibraries.GenAi, null) => "it does not tell its version; every entry point that this program calls is there",
            _ => null,
        };

    private const int NewestGenAiTried = 18;

    private static int Minor(string version) =>
        version.Split('.') is [_, var minor, ..] && int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : 0;
}
