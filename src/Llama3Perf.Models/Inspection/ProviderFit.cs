namespace Llama3Perf.Models.Inspection;

/// <summary>Whether a graph suits an execution provider.</summary>
/// <param name="Provider">The provider, as the graph that is written for it is called.</param>
/// <param name="Suits">True when it computes the graph rightly, and on itself.</param>
/// <param name="Reason">Why not; or, where it suits, what it costs; null when there is nothing to say.</param>
public sealed record ProviderFit(GraphTarget Provider, bool Suits, string? Reason)
{
    internal static IReadOnlyList<ProviderFit> All(ModelFolder folder, InspectedGraph graph) =>
    [
        Cpu(folder, graph),
        DirectMLProblem(folder, graph) is { } dml ? new(GraphTarget.DirectML, false, dml) : new(GraphTarget.DirectML, true, null),
        CudaProblem(folder, graph) is { } cuda ? new(GraphTarget.Cuda, false, cuda) : new(GraphTarget.Cuda, true, null),
        WebGpuProblem(folder, graph) is { } webGpu ? new(GraphTarget.WebGpu, false, webGpu) : new(GraphTarget.WebGpu, true, null),
    ];

    private static ProviderFit Cpu(ModelFolder folder, InspectedGraph graph)
    {
        string?[] costs =
        [
            folder.Family == GraphFamily.DirectML ? "rotates in nodes of its own, slower than the standard form" : null,
            graph.IsHalf ? "float16 is computed in float32" + (folder.Precision == Precision.Fp16 ? " and takes twice the memory" : "") : null,
        ];
        return new ProviderFit(GraphTarget.Cpu, true, costs.Any(cost => cost is not null) ? string.Join("; ", costs.OfType<string>()) : null);
    }

    private static string? DirectMLProblem(ModelFolder folder, InspectedGraph graph) =>
        folder.Family != GraphFamily.DirectML ? "its GroupQueryAttention leaves out the rotation that this graph asks of it"
        : folder.Names.PositionIds is null ? "there is no position_ids input"
        : WrongActivations(folder, graph, "dml");

    private static string? CudaProblem(ModelFolder folder, InspectedGraph graph) => WrongFamily(folder) ?? WrongActivations(folder, graph, "cuda");

    private static string? WebGpuProblem(ModelFolder folder, InspectedGraph graph) => WrongFamily(folder) ?? WrongActivations(folder, graph, "webgpu")
        ?? (graph.TakesLengthFromMaskShape ? "the length of the sequence comes from the mask's shape, which is worked out on the CPU at every step; build with --provider webgpu" : null);

    private static string? WrongFamily(ModelFolder folder) => folder.Family == GraphFamily.DirectML ? "it is a DirectML graph" : null;

    private static string? WrongActivations(ModelFolder folder, InspectedGraph graph, string provider) =>
        folder.BlockSize is not null && !graph.IsHalf ? $"activations are float32, as the CPU wants them; build with --provider {provider}" : null;
}
