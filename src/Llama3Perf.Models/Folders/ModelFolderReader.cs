using Llama3Perf.Models.Files;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Folders;

/// <summary>Opens a folder: configuration, structure of the graph, presence and length of its data, tokenizer files.</summary>
public static class ModelFolderReader
{
    /// <summary>
    /// Opens a folder and checks it: keys of genai_config.json, graph, presence and length of the external data, tokenizer files.
    /// Weights are not read, so this takes milliseconds for a model of any size.
    /// </summary>
    /// <exception cref="ModelException">The folder is not usable; the message names the file and the way out.</exception>
    public static ModelFolder Open(string path)
    {
        string folder = Existing(path);
        JsonField model = JsonField.ReadFile(Path.Combine(folder, "genai_config.json"))["model"];
        _ = model["type"].Text();
        JsonField decoder = model["decoder"];
        string graphPath = Path.GetFullPath(Path.Combine(folder, decoder["filename"].Text()));
        RequireFile(graphPath, "the graph that genai_config.json names");
        RequireFile(Path.Combine(folder, "tokenizer.json"), "the vocabulary");
        RequireFile(Path.Combine(folder, "tokenizer_config.json"), "which ONNX Runtime GenAI needs beside tokenizer.json");

        ModelProto onnx = OnnxFile.Read(graphPath);
        long weightBytes = new FileInfo(graphPath).Length + CheckExternalData(graphPath, onnx);
        (Precision precision, int? blockSize) = GraphFacts.Weights(graphPath, onnx.Graph);
        (string Name, bool IsSynthetic)? built = BuildManifest.Read(folder);

        var opened = new ModelFolder
        {
            Path = folder,
            Name = built?.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)),
            GraphPath = graphPath,
            IsSynthetic = built is { IsSynthetic: true },
            Precision = precision,
            BlockSize = blockSize,
            Family = GraphFacts.Family(onnx.Graph),
            ContextLength = model["context_length"].Integer(),
            VocabularySize = model["vocab_size"].Integer(),
            HiddenSize = decoder["hidden_size"].Integer(),
            LayerCount = decoder["num_hidden_layers"].Integer(),
            HeadCount = decoder["num_attention_heads"].Integer(),
            KeyValueHeadCount = decoder["num_key_value_heads"].Integer(),
            HeadSize = decoder["head_size"].Integer(),
            BosTokenId = model.Find("bos_token_id")?.TokenId(),
            EosTokenIds = model.Find("eos_token_id")?.TokenIds() ?? [],
            Names = GraphFacts.Names(decoder, onnx.Graph),
            WeightBytes = weightBytes,
        };
        GraphFacts.CheckNames(opened, onnx.Graph);
        return opened;
    }

    private static string Existing(string path)
    {
        string folder = Path.GetFullPath(path);
        if (File.Exists(folder))
        {
            throw new ModelException($"'{path}' is a file. Name the model folder that holds genai_config.json.");
        }

        if (!Directory.Exists(folder))
        {
            throw new ModelException($"The model folder '{path}' does not exist.");
        }

        if (!File.Exists(Path.Combine(folder, "genai_config.json")))
        {
            throw new ModelException($"'{path}' has no genai_config.json, and no config.json with weights in safetensors. Name a folder that ONNX Runtime GenAI reads, or a Hugging Face checkpoint.");
        }

        return folder;
    }

    private static void RequireFile(string file, string what)
    {
        if (!File.Exists(file))
        {
            throw new ModelException($"{file} is missing: {what}. Copy or build the folder again.");
        }
    }

    private static long CheckExternalData(string graphPath, ModelProto onnx)
    {
        long total = 0;
        foreach ((string location, long expected) in OnnxFile.ExternalFiles(graphPath, onnx))
        {
            string file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(graphPath)!, location));
            RequireFile(file, "weights that the graph names");
            long length = new FileInfo(file).Length;
            if (length < expected)
            {
                throw new ModelException($"{file} is truncated: it has {length} bytes, the graph needs {expected}. Copy or build the folder again.");
            }

            total += length;
        }

        return total;
    }
}
