using Llama3Perf.Models;

namespace Llama3Perf.Inference;

/// <summary>
/// A library with an execution provider of its own (OpenVINO, QNN, the WebGPU plug-in), which ONNX Runtime registers under a name. One a
/// process: child processes inherit it.
/// </summary>
/// <param name="Name">The name that it is registered and asked for by.</param>
/// <param name="Path">The library's file.</param>
public sealed record ProviderLibrary(string Name, string Path)
{
    /// <summary>Environment variable with the library, as <c>name=path</c>.</summary>
    public const string Variable = "LLAMA3PERF_PROVIDER_LIBRARY";

    private const int LongestName = 40;

    /// <summary>The library that was named; null when none was.</summary>
    public static ProviderLibrary? Current =>
        Environment.GetEnvironmentVariable(Variable) is { } text && text.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals
            ? new ProviderLibrary(text[..equals], text[(equals + 1)..])
            : null;

    /// <summary>
    /// The form of graphs that the provider is given, which follows its name: a WebGPU or CUDA plug-in takes what the provider that is
    /// compiled in takes, any other one the standard form.
    /// </summary>
    internal GraphTarget Target =>
        Name.Contains("webgpu", StringComparison.OrdinalIgnoreCase) ? GraphTarget.WebGpu
        : Name.Contains("cuda", StringComparison.OrdinalIgnoreCase) || Name.Contains("tensorrt", StringComparison.OrdinalIgnoreCase)
            ? GraphTarget.Cuda
        : GraphTarget.Cpu;

    /// <summary>Reads <c>name=path</c>.</summary>
    /// <exception cref="EngineException">It is not of that form, or there is no such file.</exception>
    public static ProviderLibrary Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || equals > LongestName || !text[..equals].All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.'))
        {
            throw new EngineException($"'{text}' is not of the form name=path, with a name of letters, digits, _, - and .");
        }

        string path = System.IO.Path.GetFullPath(text[(equals + 1)..]);
        return File.Exists(path) ? new ProviderLibrary(text[..equals], path) : throw new EngineException($"{path} does not exist");
    }

    /// <summary>Names the library, for this process and its children; before anything of ONNX Runtime is used.</summary>
    public void Use() => Environment.SetEnvironmentVariable(Variable, $"{Name}={Path}");
}
