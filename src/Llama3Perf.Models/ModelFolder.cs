namespace Llama3Perf.Models;

/// <summary>
/// What an engine loads. Either a folder that ONNX Runtime GenAI reads: <c>model.onnx</c>, its external data, <c>genai_config.json</c>,
/// <c>tokenizer.json</c> and <c>tokenizer_config.json</c>; or a GGUF file, in a folder with a tokenizer or alone. Opening one checks it;
/// what is here is true of the files.
/// </summary>
public sealed record ModelFolder
{
    /// <summary>Absolute path of the folder; of the file itself where a GGUF file was named.</summary>
    public required string Path { get; init; }

    /// <summary>The folder that the tokenizer's files lie in, if there are any.</summary>
    public string TokenizerFolder => Format == ModelFormat.Gguf ? System.IO.Path.GetDirectoryName(GraphPath)! : Path;

    /// <summary>Which of the two it is.</summary>
    public ModelFormat Format { get; init; }

    /// <summary>Name shown in results: the shape's name for folders that the suite built, else the folder's name.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute path of the decoder graph (<c>model.decoder.filename</c>), or of the GGUF file.</summary>
    public required string GraphPath { get; init; }

    /// <summary>True when the weights are random numbers: speed is real, text is noise.</summary>
    public required bool IsSynthetic { get; init; }

    /// <summary>Storage of the matrix weights, read from the graph. For a GGUF file of other types the nearest one.</summary>
    public required Precision Precision { get; init; }

    /// <summary>What results call the storage: the precision's name, or llama.cpp's for a type that is none of them
    /// (<c>q4_k</c>).</summary>
    public string Storage
    {
        get => field ?? Precision.Name();
        init;
    }

    /// <summary>Quantization block length along K, or null for floating point weights.</summary>
    public required int? BlockSize { get; init; }

    /// <summary>The form of the attention, read from the graph.</summary>
    public required GraphFamily Family { get; init; }

    /// <summary>What the graph needs of an engine and a provider beside that form.</summary>
    public IReadOnlyList<GraphNeed> Needs { get; init; } = [];

    /// <summary>What the graph computes with.</summary>
    public GraphArithmetic Arithmetic { get; init; } = new("fp32", RoundsActivations: false);

    /// <summary>The longest sequence that a LongRoPE graph gives its short rotary tables; null where there is one table for all
    /// lengths.</summary>
    public int? LongRopeLength { get; init; }

    /// <summary><c>past_present_share_buffer</c>: ONNX Runtime GenAI keeps past and present in one buffer.</summary>
    public bool SharesBuffers { get; init; } = true;

    /// <summary>Longest sequence, prompt and new tokens together.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Rows of the embedding and of the logits.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Width of one head, taken from genai_config.json (official graphs keep it symbolic).</summary>
    public required int HeadSize { get; init; }

    /// <summary>Beginning-of-sequence token id, or null when the model has none.</summary>
    public required int? BosTokenId { get; init; }

    /// <summary>Token ids that end a generation.</summary>
    public required IReadOnlyList<int> EosTokenIds { get; init; }

    /// <summary>Names of the graph's inputs and outputs, from genai_config.json.</summary>
    public required DecoderNames Names { get; init; }

    /// <summary>Bytes of the graph and of its external data on disk.</summary>
    public required long WeightBytes { get; init; }
}

/// <summary>Names of a decoder's inputs and outputs; <c>%d</c> in a key or value name stands for the layer.</summary>
public sealed record DecoderNames
{
    /// <summary>Token ids, int64 [batch, sequence].</summary>
    public string InputIds { get; init; } = "input_ids";

    /// <summary>Attention mask, int64 [batch, total sequence].</summary>
    public string AttentionMask { get; init; } = "attention_mask";

    /// <summary>Positions, int64 [batch, sequence]; null when the graph has no such input.</summary>
    public string? PositionIds { get; init; }

    /// <summary>Logits, [batch, sequence or 1, vocabulary].</summary>
    public string Logits { get; init; } = "logits";

    /// <summary>Past keys, [batch, KV heads, past sequence, head size].</summary>
    public string PastKey { get; init; } = "past_key_values.%d.key";

    /// <summary>Past values, same shape as the keys.</summary>
    public string PastValue { get; init; } = "past_key_values.%d.value";

    /// <summary>Present keys, [batch, KV heads, total sequence, head size].</summary>
    public string PresentKey { get; init; } = "present.%d.key";

    /// <summary>Present values, same shape as the keys.</summary>
    public string PresentValue { get; init; } = "present.%d.value";
}
