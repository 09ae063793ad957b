using Llama3Perf.Benchmarks.Engines.LlamaBench;
using Llama3Perf.Benchmarks.Engines.OpenAi;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Engines;

/// <summary>The table of engine families, and which of their engines a run measures.</summary>
internal static class EngineFamilies
{
    private static readonly InProcessFamily s_inProcess = new();

    /// <summary>All families. A new one is a class here and its row.</summary>
    public static IReadOnlyList<EngineFamily> All { get; } =
    [s_inProcess, new ExternalFamily(), new LlamaBenchFamily(), new OpenAiFamily()];

    /// <summary>Names of all engines.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.SelectMany(family => family.Names)];

    /// <summary>The names and what else may be asked for, in words.</summary>
    public static string Known { get; } =
        string.Join(", ", Names)
        + string.Concat(All.Select(family => family.OtherNames).OfType<string>().Select(others => $", or {others}"));

    /// <summary>The family of an engine.</summary>
    /// <exception cref="UsageException">None owns the name; the message lists those there are.</exception>
    public static EngineFamily Of(string engine) =>
        All.FirstOrDefault(family => family.Owns(engine)) ?? throw new UsageException($"'{engine}' is unknown; use {Known}");

    /// <summary>What was asked for; where the engine was left open, all in this process that are there, and where the provider was, the
    /// best one.</summary>
    public static IReadOnlyList<EngineChoice> Choose(PlanContext context)
    {
        IReadOnlyList<string> names =
        [
            .. (context.Options.Engines ?? [])
                .Concat(All.Where(family => family.IsImplied(context.Options)).SelectMany(family => family.Names))
                .Distinct(),
        ];
        IEnumerable<EngineChoice> named =
            from name in names
            let family = Of(name)
            from provider in context.Options.Providers?.Select(provider => (ExecutionProvider?)provider)
                ?? [family.BestPlace(name, context)]
            select new EngineChoice(family, name, provider);
        IEnumerable<EngineChoice> open = context.Options.Engines is null
            ? s_inProcess.Open(context.Options).Select(open => new EngineChoice(s_inProcess, open.Engine, open.Provider))
            : [];
        return [.. open, .. named];
    }
}
