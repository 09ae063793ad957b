using Llama3Perf.Inference.Engines;

namespace Llama3Perf.Benchmarks.Suite;

/// <summary>Which engines on which providers a run measures.</summary>
internal static class EngineChoice
{
    // Best first.
    private static readonly ExecutionProvider[] s_preference =
        [ExecutionProvider.Dml, ExecutionProvider.Cuda, ExecutionProvider.WebGpu, ExecutionProvider.Cpu];

    /// <summary>What was asked for; where engine or provider was left open, the best that is there.</summary>
    public static IReadOnlyList<(string Engine, ExecutionProvider Provider)> Of(SuiteOptions options)
    {
        IEnumerable<ExecutionProvider> providers = options.Providers ?? s_preference;
        IEnumerable<string> engines = options.Engines ?? EngineCatalog.Names;
        if (options.Providers is not null && options.Engines is not null)
        {
            return [.. from engine in engines from provider in providers select (engine, provider)];
        }

        // Providers outermost: a GPU with any engine goes before the CPU with the best one.
        IEnumerable<(string Engine, ExecutionProvider Provider)> all = from provider in providers from engine in engines select (engine, provider);
        (string Engine, ExecutionProvider Provider)[] available = [.. all.Where(pair => EngineCatalog.Get(pair.Engine).Availability(pair.Provider).IsAvailable)];
        if (options.Engines is not null)
        {
            return [.. options.Engines.Select(engine => available.FirstOrDefault(pair => pair.Engine == engine, (Engine: engine, Provider: ExecutionProvider.Cpu)))];
        }

        if (options.Providers is not null)
        {
            return [.. options.Providers.Select(provider => available.FirstOrDefault(pair => pair.Provider == provider, (Engine: EngineCatalog.Names[0], Provider: provider)))];
        }

        return available is [var best, ..] ? [best] : [(EngineCatalog.Names[0], ExecutionProvider.Cpu)];
    }
}
