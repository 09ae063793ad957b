using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;
using Llama3Perf.Models.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Whether an execution provider runs here: a graph of one Identity node is opened on its device and run, once a process. Being compiled
/// in says little: CUDA's package lists CUDA on a machine without an adapter or without CUDA's libraries, and fails at the first model.
/// </summary>
internal static partial class ProviderTrial
{
    private static readonly ConcurrentDictionary<ExecutionProvider, Lazy<string?>> s_problems = new();

    // What brings a library that CUDA's provider is linked to.
    private static readonly (string Library, string Package)[] s_packages =
    [
        ("cudnn", "cuDNN 9"),
        ("cublas", "the CUDA toolkit (cuBLAS)"),
        ("cufft", "the CUDA toolkit (cuFFT)"),
        ("curand", "the CUDA toolkit (cuRAND)"),
        ("cudart", "the CUDA toolkit (CUDA runtime)"),
        ("libcuda.so", "NVIDIA's driver"),
        ("nvcuda", "NVIDIA's driver"),
        ("vulkan", "the Vulkan loader"),
    ];

    /// <summary>Why the provider cannot run here, in one line; null when it did.</summary>
    public static string? Problem(ExecutionProvider provider) =>
        provider == ExecutionProvider.Cpu ? null : s_problems.GetOrAdd(provider, place => new Lazy<string?>(() => Try(place))).Value;

    /// <summary>ONNX Runtime's text of a failed trial, short, with the library that is missing and what brings it.</summary>
    internal static string Reason(ExecutionProvider provider, string text)
    {
        if (MissingLibrary().Match(text) is { Success: true } match)
        {
            string library = match.Groups["library"].Value;
            string brings = Array.Find(s_packages, row => library.Contains(row.Library, StringComparison.OrdinalIgnoreCase)).Package
                is { } package
                ? $", which {package} has"
                : "";
            return $"{provider.Name()} needs {library}, which is not found{brings}: install it, or name its folder in "
                + (OperatingSystem.IsWindows() ? "PATH" : "LD_LIBRARY_PATH");
        }

        string line = text.OneLine();
        return $"{provider.Name()} opens no session here: {(line.Length > 300 ? line[..300] + "..." : line)}";
    }

    private static string? Try(ExecutionProvider provider)
    {
        OrtEnv environment = NativeLibraries.OnnxRuntimeEnvironment();
        OrtLoggingLevel level = environment.EnvLogLevel;
        try
        {
            // What goes wrong here is told below, not by the library in the middle of a table.
            environment.EnvLogLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL;
            using InferenceSession session = OrtSession.OpenSmall(
                IdentityGraph.Create((int)Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float, rank: 1),
                new EngineOptions { Provider = provider }
            );
            using OrtValue input = OrtValue.CreateTensorValueFromMemory(new float[] { 1 }, [1]);
            using RunOptions run = new();
            using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(
                run,
                [IdentityGraph.Input],
                [input],
                [IdentityGraph.Output]
            );
            return outputs[0].GetTensorDataAsSpan<float>()[0] == 1f
                ? null
                : $"{provider.Name()} computes wrongly here: 1 became something else";
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or EntryPointNotFoundException or NotSupportedException)
        {
            return Reason(provider, exception.Message);
        }
        finally
        {
            environment.EnvLogLevel = level;
        }
    }

    // Linux, macOS, and what ONNX Runtime says of its own on Windows.
    [GeneratedRegex(
        @"(error: |Library not loaded: |depends on )""?(?<library>[\w.+/-]*?(\.so|\.dll|\.dylib)[\w.]*)",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex MissingLibrary();
}
