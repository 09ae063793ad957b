using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Onnx;
using Llama3Perf.Models.Tokenizer;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Building;

/// <summary>Options turned into what will be written, weights excepted.</summary>
internal sealed record BuildPlan
{
    public const string DataFileName = "model.onnx.data";

    private readonly Lazy<string> _manifest;

    private BuildPlan(LlamaShape shape, ModelBuildOptions options, IWeightSource weights, Func<string?> checkpointSha256)
    {
        (Shape, Options) = (shape with { TieEmbeddings = options.TieEmbeddings ?? shape.TieEmbeddings }, options);
        BuildRules.Check(Shape, options);
        (Model, Data) = LlamaGraph.Create(Shape, options, weights, DataFileName);
        _manifest = new Lazy<string>(() =>
            BuildManifest.Text(Shape, options, checkpointSha256(), Checkpoint is not { IsSynthetic: false })
        );
    }

    public LlamaShape Shape { get; }

    public ModelBuildOptions Options { get; }

    public ModelProto Model { get; }

    public DataLayout Data { get; }

    /// <summary>Writes the tokenizer's files into a folder and says what its special tokens are.</summary>
    public required Func<string, SpecialTokens> WriteTokenizer { get; init; }

    /// <summary>The checkpoint whose weights are converted, or null for random ones.</summary>
    public Checkpoint? Checkpoint { get; private init; }

    /// <summary>What could not be stored as it was; filled while the weights are written.</summary>
    public ConversionCounts Counts { get; private init; } = new();

    /// <summary>Text that is equal for equal bytes. A checkpoint is read for it, the first time.</summary>
    public string Manifest => _manifest.Value;

    /// <param name="options">What to build.</param>
    /// <param name="digests">Folder that remembers the contents of checkpoints; null to read them each time.</param>
    /// <exception cref="ModelException">Options that contradict each other or the shape, or a checkpoint that cannot be
    /// converted.</exception>
    public static BuildPlan Create(ModelBuildOptions options, string? digests = null) =>
        Checkpoint.IsCheckpoint(options.Model) ? Convert(Checkpoint.Open(options.Model), options, digests) : Random(options);

    private static BuildPlan Random(ModelBuildOptions options)
    {
        var shape = LlamaShape.Load(options.Model);
        if (shape.VocabularySize < SyntheticTokenizer.MinimumVocabularySize)
        {
            throw new ModelException(
                $"vocab_size {shape.VocabularySize} of '{shape.Name}' is too small: bytes and special tokens need "
                    + $"{SyntheticTokenizer.MinimumVocabularySize}."
            );
        }

        LlamaShape tied = shape with { TieEmbeddings = options.TieEmbeddings ?? shape.TieEmbeddings };
        return new BuildPlan(shape, options, new RandomWeights(tied, options.Seed), () => null)
        {
            WriteTokenizer = folder => SyntheticTokenizer.Write(folder, shape.VocabularySize),
        };
    }

    private static BuildPlan Convert(Checkpoint checkpoint, ModelBuildOptions options, string? digests)
    {
        if (options.TieEmbeddings == true && !checkpoint.Shape.TieEmbeddings)
        {
            throw new ModelException($"'{checkpoint.Path}' has an LM head of its own; its embeddings cannot be tied.");
        }

        var counts = new ConversionCounts();
        var weights = new CheckpointWeights(checkpoint, options.Symmetric, counts);
        return new BuildPlan(
            checkpoint.Shape,
            options,
            weights,
            () => CheckpointFingerprint.Compute(checkpoint, digests, progress: null, CancellationToken.None)
        )
        {
            Checkpoint = checkpoint,
            Counts = counts,
            WriteTokenizer = CheckpointTokenizer.Of(checkpoint).Write,
        };
    }
}
