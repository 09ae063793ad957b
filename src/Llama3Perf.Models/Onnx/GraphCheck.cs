using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Onnx;

/// <summary>What every reader of a graph relies on: it ends, its sizes are numbers, its names are unique. Checked once, when a file is
/// read.</summary>
internal static class GraphCheck
{
    // Far above any decoder, and a graph of so many nodes is still looked through in a second.
    private const int MaxParts = 500_000;

    /// <summary>What is wrong with a graph, or null.</summary>
    public static string? Problem(GraphProto graph) =>
        graph.Node.Count + graph.Initializer.Count > MaxParts ? $"it has more than {MaxParts} nodes and tensors"
        : graph.Initializer.FirstOrDefault(tensor => Bits(tensor) is null) is { } tensor
            ? $"tensor '{Shown.Text(tensor.Name)}' has impossible dimensions"
        : Twice(graph) is { } twice ? $"'{Shown.Text(twice)}' is made twice"
        : Cycle(graph) is { } node ? $"its nodes go round in a circle, through '{Shown.Text(node.Name)}'"
        : null;

    private static Int128? Bits(TensorProto tensor)
    {
        Int128 bits = Math.Max(1, OnnxFile.BitSize(tensor.DataType));
        foreach (long dim in tensor.Dims)
        {
            bits = dim >= 0 && bits <= long.MaxValue ? bits * dim : -1;
            if (bits < 0)
            {
                return null;
            }
        }

        return bits <= long.MaxValue ? bits : null;
    }

    private static string? Twice(GraphProto graph)
    {
        HashSet<string> names = new(StringComparer.Ordinal);
        return graph.Node.SelectMany(node => node.Output).Where(name => name.Length > 0).FirstOrDefault(name => !names.Add(name));
    }

    /// <summary>A node of a circle; null when every node can run after those that it needs (Kahn's algorithm).</summary>
    private static NodeProto? Cycle(GraphProto graph)
    {
        Dictionary<string, int> makers = new(StringComparer.Ordinal);
        for (int i = 0; i < graph.Node.Count; i++)
        {
            foreach (string output in graph.Node[i].Output.Where(name => name.Length > 0))
            {
                makers[output] = i;
            }
        }

        List<int>[] followers = [.. graph.Node.Select(_ => new List<int>())];
        int[] waiting = new int[graph.Node.Count];
        for (int i = 0; i < waiting.Length; i++)
        {
            foreach (
                int maker in GraphPaths
                    .Needs(graph.Node[i])
                    .Select(name => makers.GetValueOrDefault(name, -1))
                    .Where(maker => maker >= 0)
                    .Distinct()
            )
            {
                followers[maker].Add(i);
                waiting[i]++;
            }
        }

        Queue<int> ready = new(Enumerable.Range(0, waiting.Length).Where(i => waiting[i] == 0));
        while (ready.TryDequeue(out int done))
        {
            foreach (int follower in followers[done])
            {
                if (--waiting[follower] == 0)
                {
                    ready.Enqueue(follower);
                }
            }
        }

        int left = Array.FindIndex(waiting, count => count > 0);
        return left < 0 ? null : graph.Node[left];
    }
}
