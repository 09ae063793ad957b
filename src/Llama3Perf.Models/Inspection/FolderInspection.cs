using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Models.Inspection;

/// <summary>What a model folder is, read from its configuration and its graph. Weights are not read: it takes milliseconds for any
/// size.</summary>
public sealed record FolderInspection
{
    /// <summary>The folder.</summary>
    public required ModelFolder Folder { get; init; }

    /// <summary><c>model.type</c> of genai_config.json: <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Width inside the MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>True when embedding and LM head are the same stored matrix.</summary>
    public required bool IsTied { get; init; }

    /// <summary>True when a matrix product adds a stored bias.</summary>
    public required bool HasBiases { get; init; }

    /// <summary><c>fp32</c>, <c>fp16</c> or <c>bf16</c>: type of the activations.</summary>
    public required string Activations { get; init; }

    /// <summary>Type of the KV cache: that of activations, or <c>int8</c>, <c>int4</c>.</summary>
    public required string Cache { get; init; }

    /// <summary>Parameters of the model; a tied matrix counts once, scales and zero points do not count.</summary>
    public long ParameterCount => Weights.Sum(weights => weights.Parameters);

    /// <summary>The weights by class and storage, in the order of <see cref="WeightClass"/>.</summary>
    public required IReadOnlyList<StoredWeights> Weights { get; init; }

    /// <summary>
    /// Bytes of weights that one decoded token reads: matrices of the layers and the LM head with scales, zero points and biases, the
    /// norms, and one row of the embedding.
    /// </summary>
    public required long WeightBytesPerToken { get; init; }

    /// <summary>Bytes of the KV cache that one token of the sequence takes; a decode step reads as much for every token before
    /// it.</summary>
    public required long CacheBytesPerToken { get; init; }

    /// <summary>Bytes of the KV cache at full context.</summary>
    public long CacheBytes => CacheBytesPerToken * Folder.ContextLength;

    /// <summary>Bytes of the external data files.</summary>
    public required long ExternalBytes { get; init; }

    /// <summary>Bytes of the external data files that no node's weights lie in: padding, and weights without users.</summary>
    public required long UnusedBytes { get; init; }

    /// <summary>Every execution provider, and whether the graph suits it.</summary>
    public required IReadOnlyList<ProviderFit> Providers { get; init; }

    /// <summary>What is wrong or doubtful, a line each.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>Those problems in which configuration and graph are two models: whichever is meant, the answers are not both's.</summary>
    public required IReadOnlyList<string> Contradictions { get; init; }

    /// <summary>Tokens a second that a memory bandwidth allows at most: every token reads its weights and the cache before it
    /// once.</summary>
    /// <param name="bytesPerSecond">Memory bandwidth.</param>
    /// <param name="depth">Tokens in the KV cache.</param>
    public double DecodeCeiling(double bytesPerSecond, int depth = 0) =>
        bytesPerSecond / (WeightBytesPerToken + ((double)CacheBytesPerToken * depth));

    /// <summary>Inspects a folder.</summary>
    /// <exception cref="ModelException">The folder is not usable; the message names the file and the way out.</exception>
    public static FolderInspection Of(string path)
    {
        ModelFolder folder = ModelFolderReader.Open(path, out GraphFacts facts);
        var graph = new InspectedGraph(folder, facts);
        long external = folder.WeightBytes - InputFile.Length(folder.GraphPath);
        JsonField model = JsonField.ReadFile(Path.Combine(folder.Path, "genai_config.json"))["model"];
        return new FolderInspection
        {
            Folder = folder,
            Architecture = Shown.Text(model["type"].Text()),
            IntermediateSize = graph.IntermediateSize,
            IsTied = graph.IsTied,
            HasBiases = graph.HasBiases,
            Activations = graph.Activations,
            Weights = graph.Summarize(),
            WeightBytesPerToken = graph.BytesPerToken,
            Cache = graph.Cache,
            CacheBytesPerToken = graph.CacheBytesPerToken,
            ExternalBytes = external,
            UnusedBytes = external - graph.UsedExternalBytes(),
            Providers = ProviderFit.All(folder, graph),
            Problems = [.. FolderProblems.Find(folder, graph, model["decoder"])],
            Contradictions = [.. FolderProblems.Windows(graph, model["decoder"])],
        };
    }
}

/// <summary>What a stored tensor is for.</summary>
public enum WeightClass
{
    /// <summary>Token embedding.</summary>
    Embedding,

    /// <summary>Products around the attention: q, k, v and o.</summary>
    Attention,

    /// <summary>Products of the MLP: gate, up and down.</summary>
    Mlp,

    /// <summary>Product that gives the logits.</summary>
    LmHead,

    /// <summary>Weights of the norms.</summary>
    Norms,

    /// <summary>Cosines and sines of the rotary embedding: tables, no parameters.</summary>
    RotaryCaches,

    /// <summary>Everything else that a node uses.</summary>
    Other,
}

/// <summary>The weights of one class in one storage.</summary>
/// <param name="Class">What they are for.</param>
/// <param name="Storage">How they are stored: <c>int4 b32 symmetric, fp32 scales</c>, <c>fp16</c>.</param>
/// <param name="Parameters">Parameters; 0 where another class holds the same matrix.</param>
/// <param name="Bytes">Bytes with scales, zero points and biases; 0 where another class holds the same matrix.</param>
public sealed record StoredWeights(WeightClass Class, string Storage, long Parameters, long Bytes);
