using Llama3Perf.Models;

namespace Llama3Perf.Inference.Native;

/// <summary>Refuses graphs that the loaded ONNX Runtime is too old for, by what it lacks instead of by its own text.</summary>
internal static class LibraryRules
{
    /// <summary>The API of ONNX Runtime 1.27, the first that computes a KV cache of integers on the CPU: 1.24.3 refuses the graph when it
    /// is loaded, 1.26.0 fails in the first call.</summary>
    internal const uint CacheApiVersion = 27;

    /// <exception cref="EngineException">With what is missing.</exception>
    public static void Check(ModelFolder folder)
    {
        if (folder.Arithmetic.CacheBits is null)
        {
            return;
        }

        NativeLibraries.RequireOnnxRuntime();
        if (NativeLibraries.OnnxRuntimeVersion is { } version && !NativeLibraries.Offers(CacheApiVersion))
        {
            throw new EngineException(
                $"{folder.Path} has a KV cache of integers, and ONNX Runtime {version} does not compute one: 1.{CacheApiVersion} or newer "
                    + "does; leave --kv-type out, or name another library with --runtime-dir"
            );
        }
    }
}
