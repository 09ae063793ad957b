using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Inspection;

/// <summary>What a Hugging Face checkpoint is. Weights are not read: it takes milliseconds for any size.</summary>
public sealed record CheckpointInspection
{
    /// <summary>The checkpoint.</summary>
    public required Checkpoint Checkpoint { get; init; }

    /// <summary>Parameters of the model; a tied matrix counts once.</summary>
    public long ParameterCount => Types.Sum(weights => weights.Parameters);

    /// <summary>The tensors that are used, by their type.</summary>
    public required IReadOnlyList<TypedWeights> Types { get; init; }

    /// <summary>The files, with what they hold of the tensors that are used.</summary>
    public required IReadOnlyList<CheckpointShard> Shards { get; init; }

    /// <summary>What tokenizer.json is; null where it is missing or not understood.</summary>
    public required TokenizerFacts? Tokenizer { get; init; }

    /// <summary>True when a chat template goes into folders that are made of it.</summary>
    public required bool HasChatTemplate { get; init; }

    /// <summary>What is wrong or doubtful, a line each.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>Inspects a checkpoint.</summary>
    /// <exception cref="ModelException">It is not usable; the message names file and tensor, and the way out.</exception>
    public static CheckpointInspection Of(string path)
    {
        var checkpoint = Checkpoint.Open(path);
        var tokenizer = TokenizerFacts.Read(checkpoint.Path);
        bool hasTemplate = ChatTemplateFile.Read(checkpoint.Path) is not null;
        return new CheckpointInspection
        {
            Checkpoint = checkpoint,
            Types = [.. checkpoint.Tensors.Values.GroupBy(tensor => tensor.Type).OrderBy(group => group.Key).Select(TypedWeights.Of)],
            Shards = [.. checkpoint.WeightFiles.Select(file => CheckpointShard.Of(file, checkpoint))],
            Tokenizer = tokenizer,
            HasChatTemplate = hasTemplate,
            Problems =
            [
                .. checkpoint.Warnings,
                .. Unused(checkpoint),
                .. Tokenizers(checkpoint.Path),
                .. new TokenProblems(
                    "the checkpoint",
                    checkpoint.Shape.VocabularySize,
                    checkpoint.Tokens.BosTokenId,
                    checkpoint.Tokens.EosTokenIds,
                    hasTemplate
                ).Find(tokenizer),
            ],
        };
    }

    private static IEnumerable<string> Unused(Checkpoint checkpoint)
    {
        HashSet<string> used = [.. checkpoint.Tensors.Values.Select(tensor => tensor.Name)];
        string[] names =
        [
            .. checkpoint
                .WeightFiles.SelectMany(file => SafetensorsFile.Read(file, LlamaTensors.IsWeight))
                .Select(tensor => tensor.Name)
                .Where(name => !used.Contains(name))
                .Order(StringComparer.Ordinal),
        ];
        if (names.Length > 0)
        {
            yield return $"not used: {Shown.List(names)}{(names.Contains(LlamaTensors.Head) ? "; it is equal to the embedding" : "")}";
        }
    }

    private static IEnumerable<string> Tokenizers(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "tokenizer.json")))
        {
            yield return File.Exists(Path.Combine(folder, "tokenizer.model"))
                ? "tokenizer.json is missing, and tokenizer.model (SentencePiece) is not read: build and external engines need "
                    + "tokenizer.json"
                : "tokenizer.json is missing: build and external engines need it";
        }
    }
}

/// <summary>The tensors of one type.</summary>
/// <param name="Type">Type of their elements.</param>
/// <param name="TensorCount">How many.</param>
/// <param name="Parameters">Their elements.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record TypedWeights(CheckpointType Type, int TensorCount, long Parameters, long Bytes)
{
    internal static TypedWeights Of(IGrouping<CheckpointType, CheckpointTensor> tensors) =>
        new(
            tensors.Key,
            tensors.Count(),
            tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, dim) => product * dim)),
            tensors.Sum(tensor => tensor.Length)
        );
}

/// <summary>One file of weights.</summary>
/// <param name="Name">Name of the file.</param>
/// <param name="TensorCount">Tensors in it that are used.</param>
/// <param name="Bytes">Size of the file.</param>
public sealed record CheckpointShard(string Name, int TensorCount, long Bytes)
{
    // A file of a hub cache is a link, and a link has no size of its own.
    internal static CheckpointShard Of(string file, Checkpoint checkpoint)
    {
        int tensors = checkpoint.Tensors.Values.Count(tensor => tensor.File == file);
        return new CheckpointShard(Path.GetFileName(file), tensors, InputFile.Length(file));
    }
}
