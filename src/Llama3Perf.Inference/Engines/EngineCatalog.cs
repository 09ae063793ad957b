using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines;

/// <summary>One engine of the suite.</summary>
/// <param name="Name">Name on the command line and in results.</param>
/// <param name="Summary">One line for help texts.</param>
/// <param name="Availability">Whether the engine can run on a provider here; cheap, loads no model.</param>
/// <param name="Load">Loads a folder. Throws <see cref="EngineException"/> with one line that names the cause.</param>
public sealed record EngineKind(
    string Name,
    string Summary,
    Func<ExecutionProvider, Availability> Availability,
    Func<ModelFolder, EngineOptions, IEngine> Load);

/// <summary>Whether something can be used here.</summary>
/// <param name="IsAvailable">True when it can.</param>
/// <param name="Reason">When it cannot: what was looked for, and where.</param>
public sealed record Availability(bool IsAvailable, string? Reason = null)
{
    /// <summary>It can be used.</summary>
    public static Availability Yes { get; } = new(true);

    /// <summary>It cannot, for this reason.</summary>
    public static Availability No(string reason) => new(false, reason);
}

/// <summary>The table of engines, best first. A new engine is one folder here and one row below.</summary>
public static class EngineCatalog
{
    /// <summary>All engines.</summary>
    public static IReadOnlyList<EngineKind> All { get; } =
    [
        GenAiRuntime.Kind,
        Ort.OrtSession.Kind,
    ];

    /// <summary>Names of all engines, in the same order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(kind => kind.Name)];

    /// <summary>The engine of that name.</summary>
    /// <exception cref="EngineException">There is none; the message lists those there are.</exception>
    public static EngineKind Get(string name) => All.FirstOrDefault(kind => kind.Name == name)
        ?? throw new EngineException($"'{name}' is unknown; use {string.Join(", ", Names)}");
}
