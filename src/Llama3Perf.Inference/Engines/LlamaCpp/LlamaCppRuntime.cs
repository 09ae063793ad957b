using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.LlamaCpp;

/// <summary>The engine's row in the table of engines, and how llama.cpp speaks of the places that a model runs on.</summary>
internal static class LlamaCppRuntime
{
    public const string Name = "llama.cpp";

    // Beginnings of the names of a backend's devices.
    private static readonly (ExecutionProvider Provider, string Device)[] s_backends =
    [
        (ExecutionProvider.Cuda, "CUDA"),
        (ExecutionProvider.Vulkan, "Vulkan"),
        (ExecutionProvider.Metal, "M"),
    ];

    /// <summary>The row.</summary>
    public static EngineKind Kind { get; } =
        new(Name, "llama.cpp, called through LLamaSharp's binding: GGUF files", Available, Load)
        {
            Format = ModelFormat.Gguf,
            HasOnnxRuntimeArithmetic = false,
            Places = [.. s_backends.Select(row => row.Provider), ExecutionProvider.Cpu],
        };

    /// <summary>The device of a provider.</summary>
    /// <param name="provider">CUDA, Vulkan or Metal.</param>
    /// <param name="index">Its number among them.</param>
    /// <returns>Null when the library has none.</returns>
    public static (string Name, nint Device)? Device(ExecutionProvider provider, int index)
    {
        string? beginning = Array.Find(s_backends, row => row.Provider == provider).Device;
        (string Name, nint Device)[] all =
        [
            .. LlamaCppLibrary
                .Devices()
                .Where(device => beginning is not null && device.Name.StartsWith(beginning, StringComparison.Ordinal)),
        ];
        return index < all.Length ? all[index] : null;
    }

    private static Availability Available(ExecutionProvider provider)
    {
        if (provider != ExecutionProvider.Cpu && !Array.Exists(s_backends, row => row.Provider == provider))
        {
            return Availability.No(
                $"{Name} has no backend for {provider.Name()} here; it has cpu, and cuda, vulkan and metal in other builds"
            );
        }

        try
        {
            LlamaCppLibrary.Require();
        }
        catch (EngineException e)
        {
            return Availability.No(e.Message);
        }

        return provider == ExecutionProvider.Cpu || Device(provider, 0) is not null
            ? Availability.Yes
            : Availability.No(
                $"no device of {provider.Name()} in {LlamaCppLibrary.Current!.Path}, which has "
                    + $"{string.Join(", ", LlamaCppLibrary.Devices().Select(device => device.Name))}; name a build for it with "
                    + "--runtime-dir"
            );
    }

    private static LlamaCppEngine Load(ModelFolder folder, EngineOptions options)
    {
        DeviceRules.CheckGraph(folder, Name, options.Provider);
        return Available(options.Provider) is { IsAvailable: false, Reason: { } reason }
            ? throw new EngineException(reason)
            : new LlamaCppEngine(folder, options);
    }
}
