using Llama3Perf.Benchmarks.Engines;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Commands;

/// <summary>A named set of options; what the command line says beside it goes before.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Options">The options that it stands for.</param>
internal sealed record Preset(string Name, SuiteOptions Options)
{
    /// <summary>All presets.</summary>
    public static IReadOnlyList<Preset> All { get; } =
    [
        // The 2024 article's matrix on every engine: those that are not there are rows that say how to get them.
        new(
            "article",
            new SuiteOptions
            {
                Engines = EngineFamilies.Names,
                Precisions = [Precision.Fp16, Precision.Int4],
                Prompts = ["OpenVINO is"],
                ChatTemplates = [ModelChatTemplate.Name, "none"],
                MaxLengths = [143],
                AsArticle = true,
            }
        ),
    ];

    /// <summary>The preset of that name.</summary>
    /// <exception cref="UsageException">There is none; the message lists those there are.</exception>
    public static Preset Get(string name) =>
        All.FirstOrDefault(preset => preset.Name == name)
        ?? throw new UsageException($"'{name}' is unknown; use {string.Join(", ", All.Select(preset => preset.Name))}");
}
