using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>
/// A Hugging Face folder of a Llama model: <c>config.json</c>, tokenizer files and weights as safetensors. Opening one checks
/// everything but the values: what is here is true of the files. No file stays open.
/// </summary>
public sealed record Checkpoint
{
    /// <summary>Absolute path of the folder.</summary>
    public required string Path { get; init; }

    /// <summary>The dimensions, from config.json; untied where the stored LM head differs from the embedding.</summary>
    public required LlamaShape Shape { get; init; }

    /// <summary>True for a checkpoint of random weights that the suite made: speed is real, text is noise.</summary>
    public required bool IsSynthetic { get; init; }

    /// <summary>The token ids that a generation needs to know: those of generation_config.json before those of config.json.</summary>
    public required SpecialTokens Tokens { get; init; }

    /// <summary>Exactly the tensors that the shape asks for, by their Hugging Face name (a lone LM head under the embedding's), each of the
    /// right shape and inside its file.</summary>
    public required IReadOnlyDictionary<string, CheckpointTensor> Tensors { get; init; }

    /// <summary>Where its files were not simply followed, a sentence each: keys that are not known, a tie that the weights
    /// contradict.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Absolute paths of the safetensors files, in ordinal order.</summary>
    public required IReadOnlyList<string> WeightFiles { get; init; }

    /// <summary>True for a folder with config.json and weights, usable or not: <see cref="Open"/> says why one is not.</summary>
    public static bool IsCheckpoint(string path) => CheckpointReader.IsCheckpoint(path);

    /// <summary>Opens a folder and checks configuration, index, headers, names, shapes and types. Weights are not read, save to see whether
    /// a stored head is the embedding.</summary>
    /// <exception cref="ModelException">The folder is not usable; the message names file and tensor, and the way out.</exception>
    public static Checkpoint Open(string path) => CheckpointReader.Read(path);
}

/// <summary>Where one tensor lies.</summary>
/// <param name="Name">Hugging Face's name, <c>model.layers.0.mlp.up_proj.weight</c>.</param>
/// <param name="Type">Type of its elements, little-endian.</param>
/// <param name="Shape">Rows first: [out, in] for a matrix.</param>
/// <param name="File">Absolute path of the file.</param>
/// <param name="Offset">First byte, counted from the beginning of the file.</param>
/// <param name="Length">Bytes.</param>
public sealed record CheckpointTensor(string Name, CheckpointType Type, IReadOnlyList<long> Shape, string File, long Offset, long Length);

/// <summary>The types of weights that are read.</summary>
public enum CheckpointType
{
    /// <summary>bfloat16: the upper half of a float32.</summary>
    BFloat16,

    /// <summary>IEEE half precision.</summary>
    Float16,

    /// <summary>IEEE single precision.</summary>
    Float32,
}
