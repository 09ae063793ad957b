using Llama3Perf.Models.Folders;

namespace Llama3Perf.Models.Inspection;

/// <summary>Whether a graph suits an execution provider.</summary>
/// <param name="Provider">The provider, as the graph that is written for it is called.</param>
/// <param name="Suits">True when it computes the graph rightly, and on itself.</param>
/// <param name="Reason">Why not; or, where it suits, what it costs; null when there is nothing to say.</param>
public sealed record ProviderFit(GraphTarget Provider, bool Suits, string? Reason)
{
    internal static IReadOnlyList<ProviderFit> All(ModelFolder folder, InspectedGraph graph) =>
        [
            .. ((GraphTarget[])[GraphTarget.Cpu, GraphTarget.DirectML, GraphTarget.Cuda, GraphTarget.WebGpu]).Select(provider =>
                Of(folder, graph, provider)
            ),
        ];

    private static ProviderFit Of(ModelFolder folder, InspectedGraph graph, GraphTarget provider)
    {
        if (Problem(folder, graph, provider) is { } reason)
        {
            return new ProviderFit(provider, false, reason);
        }

        string?[] costs =
        [
            provider == GraphTarget.Cpu && folder.Family == GraphFamily.DirectML
                ? "rotates in nodes of its own, slower than the standard form"
                : null,
            provider == GraphTarget.Cpu && graph.IsHalf
                ? "float16 is computed in float32" + (folder.Precision == Precision.Fp16 ? " and takes twice the memory" : "")
                : null,
            folder.Family == GraphFamily.Growing ? "its cache grows, a copy of it in every step" : null,
            OnlyEngine(folder, provider),
        ];
        return new ProviderFit(provider, true, costs.Any(cost => cost is not null) ? string.Join("; ", costs.OfType<string>()) : null);
    }

    private static string? Problem(ModelFolder folder, InspectedGraph graph, GraphTarget provider) =>
        GraphNeeds.FirstMissing(folder, engine: null, provider) is { } need ? $"it {need.Reason}"
        : provider == GraphTarget.DirectML && folder.Names.PositionIds is null ? "there is no position_ids input"
        : provider == GraphTarget.WebGpu && graph.TakesLengthFromMaskShape
            ? "the length of the sequence comes from the mask's shape, which is worked out on the CPU at every step; build with --provider "
                + "webgpu"
        : null;

    private static string? OnlyEngine(ModelFolder folder, GraphTarget provider) =>
        GraphNeeds.FirstMissing(folder, "ort", provider) is { } ort ? $"with --engine genai only: it {ort.Reason}"
        : GraphNeeds.FirstMissing(folder, "genai", provider) is { } genai ? $"with --engine ort only: it {genai.Reason}"
        : null;
}
