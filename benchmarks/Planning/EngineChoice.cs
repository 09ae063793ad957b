using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Which engines on which providers a run measures.</summary>
internal static class EngineChoice
{
    // Best first.
    private static readonly ExecutionProvider[] s_preference =
        [ExecutionProvider.Dml, ExecutionProvider.Cuda, ExecutionProvider.WebGpu, ExecutionProvider.Cpu];

    /// <summary>What was asked for; where engine or provider was left open, the best that is there.</summary>
    public static IReadOnlyList<(string Engine, ExecutionProvider Provider)> Of(SuiteOptions options)
    {
        if (options.Providers is { } providers && options.Engines is { } both)
        {
            return [.. from engine in both from provider in providers select (engine, provider)];
        }

        if (options.Engines is { } engines)
        {
            return [.. engines.Select(engine => (engine, PeerCatalog.Owns(engine) ? BestOfPeer(PeerCatalog.Get(engine)) : BestOf(engine)))];
        }

        // Providers outermost: a GPU with any engine goes before the CPU with the best one.
        (string Engine, ExecutionProvider Provider)[] available =
        [
            .. from provider in options.Providers ?? s_preference
               from engine in EngineCatalog.Names
               where IsThere(engine, provider)
               select (engine, provider),
        ];
        if (options.Providers is not null)
        {
            return [.. options.Providers.Select(provider => available.FirstOrDefault(pair => pair.Provider == provider, (Engine: EngineCatalog.Names[0], Provider: provider)))];
        }

        return available is [var best, ..] ? [best] : [(EngineCatalog.Names[0], ExecutionProvider.Cpu)];
    }

    private static ExecutionProvider BestOf(string engine) => s_preference.FirstOrDefault(provider => IsThere(engine, provider), ExecutionProvider.Cpu);

    private static bool IsThere(string engine, ExecutionProvider provider) => EngineCatalog.Get(engine).Availability(provider).IsAvailable;

    /// <summary>A program's device is known when it loads; until then the machine's adapters tell what can be there.</summary>
    private static ExecutionProvider BestOfPeer(PeerKind peer)
    {
        if (peer.Command is not null)
        {
            return ExecutionProvider.Cpu;
        }

        IReadOnlyList<GpuInfo> gpus = MachineProbe.Capture().Gpus;
        return peer.Devices.Select(device => device.Provider).FirstOrDefault(CanBeThere, peer.Devices[^1].Provider);

        bool CanBeThere(ExecutionProvider provider) => provider switch
        {
            ExecutionProvider.Cuda => gpus.Any(gpu => gpu.VendorId == "0x10de"),
            ExecutionProvider.Xpu => gpus.Any(gpu => gpu.VendorId == "0x8086"),
            ExecutionProvider.Mps => OperatingSystem.IsMacOS(),
            ExecutionProvider.Dml => OperatingSystem.IsWindows(),
            _ => true,
        };
    }
}
