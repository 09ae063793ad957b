using System.Text.Json;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>
/// Where ONNX Runtime really ran a model's nodes, read from a session's profile. Official DirectML graphs keep a few shape nodes on
/// the CPU, so only nodes that compute (matrix products, attention, norms) count.
/// </summary>
internal static class PlacementProfile
{
    private static readonly HashSet<string> s_computeOps =
    [
        "MatMul",
        "MatMulNBits",
        "Gemm",
        "FusedMatMul",
        "GroupQueryAttention",
        "MultiHeadAttention",
        "Attention",
        "RotaryEmbedding",
        "LayerNormalization",
        "SimplifiedLayerNormalization",
        "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization",
        "RMSNormalization",
    ];

    // DirectML may report a whole subgraph as one fused node.
    private static bool Computes(string op) => s_computeOps.Contains(op) || op.StartsWith("Dml", StringComparison.Ordinal);

    /// <summary>The same for the file that a session wrote. One that cannot be read proves nothing, and that is what comes back.</summary>
    public static string? WarningOf(string file, string provider)
    {
        try
        {
            return Warning(File.ReadAllBytes(file), provider);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return $"ONNX Runtime's profile could not be read, so nothing proves where the model ran: {exception.Message}";
        }
    }

    /// <summary>Why a profiled run may not be reported as the provider's; null when every compute node ran there.</summary>
    /// <param name="json">The profile: a JSON array of events, those of nodes with <c>args.op_name</c> and <c>args.provider</c>.</param>
    /// <param name="provider">ONNX Runtime's name of the provider.</param>
    /// <exception cref="JsonException">It is not a profile.</exception>
    public static string? Warning(ReadOnlyMemory<byte> json, string provider)
    {
        try
        {
            return Read(json, provider);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new JsonException($"not a profile: {e.Message.OneLine()}", e);
        }
    }

    private static string? Read(ReadOnlyMemory<byte> json, string provider)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        HashSet<(string Node, string Op)> elsewhere = [];
        int there = 0;
        foreach (JsonElement entry in document.RootElement.EnumerateArray())
        {
            if (
                !entry.TryGetProperty("args", out JsonElement arguments)
                || arguments.ValueKind != JsonValueKind.Object
                || !arguments.TryGetProperty("op_name", out JsonElement op)
                || !arguments.TryGetProperty("provider", out JsonElement place)
                || op.GetString() is not { } name
                || !Computes(name)
            )
            {
                continue;
            }

            if (place.GetString() == provider)
            {
                there++;
            }
            else
            {
                elsewhere.Add((entry.GetProperty("name").GetString() ?? "", name));
            }
        }

        return elsewhere.Count > 0
                ? $"{elsewhere.Count} compute nodes did not run on {provider} "
                    + $"({string.Join(", ", elsewhere.Select(node => node.Op).Distinct().Order())})"
            : there == 0 ? $"the profile shows no compute node on {provider}"
            : null;
    }
}
