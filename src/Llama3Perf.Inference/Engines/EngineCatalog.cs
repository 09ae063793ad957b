using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Engines.LlamaCpp;
using Llama3Perf.Inference.Engines.Ort;

namespace Llama3Perf.Inference.Engines;

/// <summary>The table of engines, best first. A new engine is one folder here and one row below.</summary>
public static class EngineCatalog
{
    /// <summary>All engines.</summary>
    public static IReadOnlyList<EngineKind> All { get; } = [GenAiRuntime.Kind, OrtSession.Kind, LlamaCppRuntime.Kind];

    /// <summary>Names of all engines, in the same order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(kind => kind.Name)];

    /// <summary>The engine of that name.</summary>
    /// <exception cref="EngineException">There is none; the message lists those there are.</exception>
    public static EngineKind Get(string name) =>
        All.FirstOrDefault(kind => kind.Name == name) ?? throw new EngineException($"'{name}' is unknown; use {string.Join(", ", Names)}");
}
