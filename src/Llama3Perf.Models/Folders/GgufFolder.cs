using System.Globalization;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Models.Folders;

/// <summary>A GGUF file as a model to measure: what its header says, in the words of model folders.</summary>
internal static class GgufFolder
{
    /// <summary>Key of files that the suite wrote: <c>synthetic</c> or <c>real</c>.</summary>
    public const string WeightsKey = "llama3perf.weights";

    /// <summary>Key of files that the suite wrote: the quantization block of the folder that they were made of.</summary>
    public const string BlockKey = "llama3perf.block_size";

    /// <summary>Key of files that the suite wrote: all token ids that end a generation, of which GGUF has room for few.</summary>
    public const string EosKey = "llama3perf.eos_token_ids";

    private static readonly string[] s_endKeys =
    [
        "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.eom_token_id",
    ];

    // llama.cpp ends the process beyond as many layers, where products of heads and their size are no 32 bits any more, and where heads of
    // these architectures have values of another width than their keys.
    private const int MaxLayers = 512;
    private const int MaxHeads = 1 << 14;

    private static readonly string[] s_evenHeads = ["llama", "qwen2", "qwen3"];

    /// <summary>The GGUF file that a path means: itself, or the only one of a folder that is no ONNX folder; else null.</summary>
    public static string? Find(string path) =>
        File.Exists(path) ? (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) ? path : null)
        : Directory.Exists(path) && Directory.EnumerateFiles(path, "*.gguf").Take(2).ToArray() is [var only] ? only
        : null;

    /// <summary>Opens a file.</summary>
    /// <param name="path">What was named: the file, or its folder.</param>
    /// <param name="file">The file.</param>
    /// <exception cref="ModelException">It cannot be used.</exception>
    public static ModelFolder Open(string path, string file)
    {
        var gguf = GgufFile.Open(file);
        GgufTensor embedding =
            gguf.Tensors.FirstOrDefault(tensor => tensor.Name == "token_embd.weight" && tensor.Dims.Count == 2)
            ?? throw new ModelException($"{file} has no token embedding: it is no language model, or a part of one that was split.");
        int heads = Bounded(file, "count of heads", Optional(gguf, "attention.head_count") ?? 1, MaxHeads);
        int hidden = gguf.Required("embedding_length");
        (GgufType type, Precision precision, string? storage) = Storage(gguf);
        int vocabulary = Bounded(file, "vocabulary", embedding.Dims[1]);
        CheckTokens(gguf, vocabulary);
        int headSize = Bounded(file, "head size", Optional(gguf, "attention.key_length") ?? Math.Max(1, hidden / heads), MaxHeads);
        if (s_evenHeads.Contains(gguf.Architecture) && Optional(gguf, "attention.value_length") is { } values && values != headSize)
        {
            throw new ModelException($"{file} is damaged: keys of its heads are {headSize} wide, their values {values}. Convert it again.");
        }

        return new ModelFolder
        {
            Path = path,
            Format = ModelFormat.Gguf,
            Name = gguf.Text("general.name") is { Length: > 0 and <= 100 } name && Owned(gguf) ? name : GgufNames.Model(file),
            GraphPath = file,
            IsSynthetic = gguf.Text(WeightsKey) == "synthetic",
            Precision = precision,
            Storage = storage ?? precision.Name(),
            BlockSize = gguf.Integer(BlockKey, 1) ?? (type.BlockElements == 32 ? 32 : null),
            Family = GraphFamily.Standard,
            ContextLength = gguf.Required("context_length"),
            VocabularySize = vocabulary,
            HiddenSize = hidden,
            LayerCount = Bounded(file, "layer count", gguf.Required("block_count"), MaxLayers),
            HeadCount = heads,
            KeyValueHeadCount = Bounded(file, "count of key-value heads", Optional(gguf, "attention.head_count_kv") ?? heads, heads),
            HeadSize = headSize,
            BosTokenId = gguf.Integer("tokenizer.ggml.bos_token_id") is { } bos && bos < vocabulary ? bos : null,
            EosTokenIds = EndTokens(gguf, vocabulary),
            Names = new DecoderNames(),
            WeightBytes = gguf.Length,
        };
    }

    private static bool Owned(GgufFile gguf) => gguf.Text(WeightsKey) is not null;

    // llama.cpp divides by counts and ends the process where parts of a head do not fit it: checked for every architecture that has them.
    private static int? Optional(GgufFile gguf, string key) => gguf.Integer($"{gguf.Architecture}.{key}", minimum: 1);

    private static int Bounded(string file, string what, long value, int most = 1 << 24) =>
        value > 0 && value <= most ? (int)value : throw new ModelException($"{file}: a {what} of {value} is not possible.");

    private static void CheckTokens(GgufFile gguf, int vocabulary)
    {
        if (gguf.Arrays.TryGetValue("tokenizer.ggml.tokens", out long tokens) && tokens != vocabulary)
        {
            throw new ModelException(
                $"{gguf.Path} is damaged: its vocabulary has {tokens} tokens and its embedding {vocabulary} rows. Convert it again."
            );
        }
    }

    private static int[] EndTokens(GgufFile gguf, int vocabulary) =>
        [
            .. (
                gguf.Text(EosKey) is { } own
                    ? own.Split(',', StringSplitOptions.RemoveEmptyEntries)
                        .Select(id => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1)
                    : s_endKeys.Select(key => gguf.Integer(key) ?? -1)
            )
                .Where(id => id >= 0 && id < vocabulary)
                .Distinct(),
        ];

    /// <summary>How most bytes of the matrices are stored, the nearest precision, and llama.cpp's name where that is not the
    /// same.</summary>
    private static (GgufType Type, Precision Precision, string? Name) Storage(GgufFile gguf)
    {
        GgufType type = gguf
            .Tensors.Where(tensor => tensor.Dims.Count > 1 && tensor.Name.StartsWith("blk.", StringComparison.Ordinal))
            .GroupBy(tensor => tensor.Type)
            .MaxBy(same => same.Sum(tensor => tensor.Length))
            ?.Key
            is { } most
            ? most
            : throw new ModelException($"{gguf.Path} has no layers: it is no language model, or a part of one that was split.");
        double bits = 8.0 * type.BlockBytes / type.BlockElements;
        return type.Name switch
        {
            "f32" => (type, Precision.Fp32, null),
            "f16" => (type, Precision.Fp16, null),
            "q8_0" => (type, Precision.Int8, null),
            "q4_0" or "q4_1" => (type, Precision.Int4, null),
            var name => (
                type,
                bits > 9 ? Precision.Fp16
                : bits > 6 ? Precision.Int8
                : Precision.Int4,
                name
            ),
        };
    }
}
