namespace Llama3Perf.Models;

/// <summary>Everything that shapes a model folder; equal options give equal bytes.</summary>
public sealed record ModelBuildOptions
{
    /// <summary>
    /// Name of an embedded shape (<c>llama-125m</c>) or path of a Hugging Face config.json, for random weights; or path of a Hugging Face
    /// checkpoint folder, for its weights.
    /// </summary>
    public required string Model { get; init; }

    /// <summary>Storage of the matrix weights.</summary>
    public Precision Precision { get; init; } = Precision.Int4;

    /// <summary>Quantization block along K: 16, 32, 64, 128 or 256. Ignored for floating point.</summary>
    public int BlockSize { get; init; } = 32;

    /// <summary>False stores a zero point for every block.</summary>
    public bool Symmetric { get; init; } = true;

    /// <summary>
    /// <c>accuracy_level</c> of MatMulNBits, 0 to 4: 4 (int8 activations) is the fast one on CPUs, 0 computes in the activation type.
    /// DirectML knows no such levels: its graphs are written without one.
    /// </summary>
    public int AccuracyLevel { get; init; } = 4;

    /// <summary>The execution provider that the graph is written for.</summary>
    public GraphTarget Target { get; init; } = GraphTarget.Cpu;

    /// <summary>Overrides the shape's <c>tie_word_embeddings</c>.</summary>
    public bool? TieEmbeddings { get; init; }

    /// <summary>Computes logits for the last position only; prefill is about 1.25 times faster.</summary>
    public bool PruneLmHead { get; init; } = true;

    /// <summary>Stores a checkpoint's NaN weights as 0 and infinite ones as the largest number, instead of refusing it.</summary>
    public bool AllowNonFinite { get; init; }

    /// <summary>Seed of random weights.</summary>
    public ulong Seed { get; init; } = 0x4C33_5045_5246;
}
