using System.Globalization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What the user's options mean for an engine on a provider.</summary>
internal sealed class CaseEngineOptions(SuiteOptions options)
{
    // Engines take an index; results keep the adapter's name.
    private readonly GpuInfo? _device = options.Device is { } device ? DeviceSelector.Select(MachineProbe.Capture().Gpus, device) : null;

    /// <summary>Name of the adapter that was asked for.</summary>
    public string? DeviceName => _device?.Name;

    public EngineOptions On(ExecutionProvider provider) => new()
    {
        Provider = provider,
        Device = _device?.Index.ToString(CultureInfo.InvariantCulture),
        Threads = provider == ExecutionProvider.Cpu ? options.Threads ?? PhysicalCores.Count : options.Threads,
        Optimization = options.Optimization,
        SessionEntries = options.SessionEntries,
        ProviderOptions = options.ProviderOptions,
    };
}
