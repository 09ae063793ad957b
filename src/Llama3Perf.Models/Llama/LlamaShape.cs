using System.Reflection;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Llama;

/// <summary>The dimensions of a Llama-3-style decoder, read from a Hugging Face config.json.</summary>
public sealed record LlamaShape
{
    /// <summary>Name of the embedded shape; for a user's file its own name; for a config.json, whose name says nothing, that of its folder
    /// (in a Hugging Face hub cache, of the model).</summary>
    public required string Name { get; init; }

    /// <summary><c>vocab_size</c>: rows of the embedding and of the LM head.</summary>
    public required int VocabularySize { get; init; }

    /// <summary><c>hidden_size</c>: width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary><c>intermediate_size</c>: width inside the MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary><c>num_hidden_layers</c>.</summary>
    public required int LayerCount { get; init; }

    /// <summary><c>num_attention_heads</c>: query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary><c>num_key_value_heads</c>; without it, as many as query heads.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary><c>head_dim</c>; without it, hidden size / heads.</summary>
    public required int HeadSize { get; init; }

    /// <summary><c>max_position_embeddings</c>: longest sequence, and rows of the rotary caches.</summary>
    public required int ContextLength { get; init; }

    /// <summary><c>rms_norm_eps</c>.</summary>
    public required float RmsNormEpsilon { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public required double RopeTheta { get; init; }

    /// <summary>Llama 3.1's frequency scaling, or null for plain rotary embeddings.</summary>
    public required RopeScaling? RopeScaling { get; init; }

    /// <summary><c>tie_word_embeddings</c>: the LM head is the embedding.</summary>
    public required bool TieEmbeddings { get; init; }

    /// <summary><c>attention_bias</c>: the projections of q, k, v and the attention's output add a bias.</summary>
    public bool AttentionBias { get; init; }

    /// <summary><c>mlp_bias</c>: gate, up and down add a bias.</summary>
    public bool MlpBias { get; init; }

    /// <summary><c>bos_token_id</c>, or null. A synthetic folder takes its tokenizer's instead.</summary>
    public int? BosTokenId { get; init; }

    /// <summary><c>eos_token_id</c>, one or several. A synthetic folder takes its tokenizer's instead.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>A sentence about keys of the config.json that are not known here and may change what the model computes, or null.</summary>
    public string? Warning { get; init; }

    /// <summary>Width of all query heads together.</summary>
    public int QueryWidth => HeadCount * HeadSize;

    /// <summary>Width of all key heads together, and of all value heads.</summary>
    public int KeyValueWidth => KeyValueHeadCount * HeadSize;

    /// <summary>Names of the embedded shapes. A new one is one JSON file in this folder.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assembly
            .GetExecutingAssembly()
            .GetManifestResourceNames()
            .Where(name => name.EndsWith(".json", StringComparison.Ordinal))
            .Select(name => name[..^".json".Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Loads an embedded shape by name, or a user's config.json by path.</summary>
    /// <exception cref="ModelException">Unknown name, or a file that is not a usable Llama config.json.</exception>
    public static LlamaShape Load(string nameOrPath)
    {
        if (Names.Contains(nameOrPath, StringComparer.Ordinal))
        {
            using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{nameOrPath}.json")!;
            return LlamaConfig.Read(JsonField.Read($"{nameOrPath}.json", stream), nameOrPath);
        }

        string path = Directory.Exists(nameOrPath) ? Path.Combine(HubCache.Resolve(nameOrPath), "config.json") : nameOrPath;
        if (!File.Exists(path))
        {
            if (Directory.Exists(nameOrPath))
            {
                throw new ModelException(
                    $"'{nameOrPath}' holds neither a config.json nor a genai_config.json. Name a Hugging Face checkpoint folder or a model "
                        + "folder."
                );
            }

            throw new ModelException(
                $"Unknown model shape '{nameOrPath}'. Known: {string.Join(", ", Names)}, or the path of a config.json."
            );
        }

        return LlamaConfig.Read(JsonField.ReadFile(path), NameOf(path));
    }

    private static string NameOf(string path)
    {
        string file = Path.GetFileNameWithoutExtension(path);
        string? folder = Path.GetDirectoryName(Path.GetFullPath(path));
        return
            file == "config"
            && folder is { Length: > 0 }
            && (HubCache.ModelName(folder) ?? Path.GetFileName(folder)) is { Length: > 0 } name
            ? name
            : file;
    }
}

/// <summary>Llama 3.1's rotary frequency scaling (<c>rope_type: llama3</c>).</summary>
/// <param name="Factor">Divisor of the low frequencies.</param>
/// <param name="LowFrequencyFactor">Wavelengths above original context / this are fully scaled.</param>
/// <param name="HighFrequencyFactor">Wavelengths below original context / this are left alone.</param>
/// <param name="OriginalContextLength">Context length before scaling.</param>
public sealed record RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalContextLength);
