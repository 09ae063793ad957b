using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>Opens a folder: configuration, structure of the graph, presence and length of its data, tokenizer files.</summary>
public static class ModelFolderReader
{
    private const string ConfigurationFile = "genai_config.json";

    /// <summary>
    /// Opens a folder and checks it: keys of genai_config.json, graph, presence and length of the external data, tokenizer files; or the
    /// header of a GGUF file.
    /// Weights are not read, so this takes milliseconds for a model of any size.
    /// </summary>
    /// <exception cref="ModelException">The folder is not usable; the message names the file and the way out.</exception>
    public static ModelFolder Open(string path)
    {
        string full = HubCache.Resolve(Path.GetFullPath(path));
        return !File.Exists(Path.Combine(full, ConfigurationFile)) && GgufFolder.Find(full) is { } gguf
            ? GgufFolder.Open(full, gguf)
            : Open(path, out _);
    }

    /// <summary>True for what is measured as it is, usable or not: a folder with the configuration of ONNX Runtime GenAI, a GGUF file, or a
    /// folder with one that holds no checkpoint. <see cref="Open(string)"/> says why one is not.</summary>
    public static bool IsModelFolder(string path)
    {
        string full = HubCache.Resolve(path);
        return File.Exists(Path.Combine(full, ConfigurationFile)) || IsGguf(full);
    }

    /// <summary>True for a GGUF file, or a folder of one. Opens nothing.</summary>
    public static bool IsGguf(string path)
    {
        string full = HubCache.Resolve(path);
        return GgufFolder.Find(full) is not null
            && !File.Exists(Path.Combine(full, ConfigurationFile))
            && !File.Exists(Path.Combine(full, "config.json"));
    }

    /// <summary>Opens a folder and hands over what was read of its graph.</summary>
    internal static ModelFolder Open(string path, out GraphFacts facts)
    {
        string folder = Existing(path);
        var root = JsonField.ReadFile(Path.Combine(folder, ConfigurationFile));
        JsonField model = root["model"];
        _ = model["type"].Text();
        JsonField decoder = model["decoder"];
        string graphPath = GraphPath(folder, decoder);
        RequireFile(Path.Combine(folder, "tokenizer.json"), "the vocabulary");
        RequireFile(Path.Combine(folder, "tokenizer_config.json"), "which ONNX Runtime GenAI needs beside tokenizer.json");

        ModelProto onnx = OnnxFile.Read(graphPath);
        long weightBytes = InputFile.Length(graphPath) + ExternalData.Check(folder, graphPath, onnx);
        DecoderNames names = GraphAgreement.Names(decoder, onnx.Graph);
        facts = new GraphFacts(graphPath, onnx.Graph, names);
        (Precision precision, int? blockSize) = facts.Weights();
        (string Name, bool IsSynthetic)? built = BuildManifest.Read(folder);
        bool sharesBuffers = root.Find("search")?.Find("past_present_share_buffer")?.Boolean() ?? facts.Family != GraphFamily.Growing;

        var opened = new ModelFolder
        {
            Path = folder,
            Name = built?.Name ?? HubCache.ModelName(folder) ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)),
            GraphPath = graphPath,
            IsSynthetic = built is { IsSynthetic: true },
            Precision = precision,
            BlockSize = blockSize,
            Family = facts.Family,
            Arithmetic = facts.Arithmetic,
            Needs = [.. facts.Needs(sharesBuffers)],
            LongRopeLength = (int?)Math.Min(facts.LongRopeLength ?? 0, int.MaxValue) is > 0 and var length ? length : null,
            SharesBuffers = sharesBuffers,
            ContextLength = model["context_length"].Integer(),
            VocabularySize = model["vocab_size"].Integer(),
            HiddenSize = decoder["hidden_size"].Integer(),
            LayerCount = decoder["num_hidden_layers"].Integer(),
            HeadCount = decoder["num_attention_heads"].Integer(),
            KeyValueHeadCount = decoder["num_key_value_heads"].Integer(),
            HeadSize = decoder["head_size"].Integer(),
            BosTokenId = model.Find("bos_token_id")?.TokenId(),
            EosTokenIds = model.Find("eos_token_id")?.TokenIds() ?? [],
            Names = names,
            WeightBytes = weightBytes,
        };
        GraphAgreement.Check(opened, facts);
        return opened;
    }

    private static string GraphPath(string folder, JsonField decoder)
    {
        if (decoder.Find("filename") is null && decoder.Find("pipeline") is { } pipeline)
        {
            throw new ModelException(
                $"{pipeline.File}: {pipeline.Key} makes the model of several graphs, which no engine here runs. Export it as one graph."
            );
        }

        string name = decoder["filename"].Text();
        if (name.Length == 0 || name.Contains('\0', StringComparison.Ordinal))
        {
            throw decoder["filename"].Wrong("the name of a file");
        }

        string graphPath = Path.GetFullPath(Path.Combine(folder, name));
        FileLinks.Check(folder, graphPath);
        RequireFile(graphPath, "the graph that genai_config.json names");
        return graphPath;
    }

    private static string Existing(string path)
    {
        string folder = HubCache.Resolve(Path.GetFullPath(path));
        if (File.Exists(folder))
        {
            throw new ModelException($"'{path}' is a file. Name the model folder that holds genai_config.json.");
        }

        if (!Directory.Exists(folder))
        {
            throw new ModelException($"The model folder '{path}' does not exist.");
        }

        if (!File.Exists(Path.Combine(folder, ConfigurationFile)))
        {
            throw new ModelException(
                $"'{path}' has no genai_config.json, and no config.json with weights in safetensors. Name a folder that ONNX Runtime GenAI "
                    + "reads, or a Hugging Face checkpoint."
            );
        }

        return folder;
    }

    internal static void RequireFile(string file, string what)
    {
        if (!File.Exists(file))
        {
            throw new ModelException($"{Shown.Text(file)} is missing: {what}. Copy or build the folder again.");
        }
    }
}
