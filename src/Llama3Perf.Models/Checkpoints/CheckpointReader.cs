using System.Text.Json;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Opens and checks a Hugging Face checkpoint folder.</summary>
internal static class CheckpointReader
{
    private const string ConfigFile = "config.json";

    public static bool IsCheckpoint(string path) =>
        Directory.Exists(path)
        && HubCache.Resolve(path) is { } folder
        && File.Exists(Path.Combine(folder, ConfigFile))
        && WeightMap.HasWeights(folder);

    public static Checkpoint Read(string path)
    {
        string folder = Existing(path);
        try
        {
            string config = Path.Combine(folder, ConfigFile);
            var shape = LlamaShape.Load(config);
            var configuration = JsonField.ReadFile(config);
            CheckUnquantized(configuration);
            IReadOnlySet<string> names = LlamaTensors.Names(shape);
            var map = WeightMap.Read(folder, names.Contains);
            Dictionary<string, CheckpointTensor> found = Tensors(map, names.Contains);
            (LlamaShape settled, string? untied) = TiedHead.Settle(shape, found);
            return new Checkpoint
            {
                Path = folder,
                Shape = settled,
                Warnings = [.. new[] { shape.Warning, untied }.OfType<string>()],
                IsSynthetic =
                    configuration.Find(LlamaConfigText.SyntheticKey) is { Element.ValueKind: JsonValueKind.String } weights
                    && weights.Text() == LlamaConfigText.Synthetic,
                Tokens = Tokens(folder, shape, configuration),
                Tensors = CheckpointRules.Select(folder, settled, found),
                WeightFiles = map.Files,
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"The checkpoint '{folder}' cannot be read: {Shown.Text(e.Message)}", e);
        }
    }

    private static string Existing(string path)
    {
        string folder = HubCache.Resolve(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        if (File.Exists(folder))
        {
            throw new ModelException($"'{path}' is a file. Name the checkpoint folder that holds config.json.");
        }

        if (!Directory.Exists(folder))
        {
            throw new ModelException($"The checkpoint folder '{path}' does not exist.");
        }

        if (!File.Exists(Path.Combine(folder, ConfigFile)))
        {
            throw new ModelException($"'{path}' has no {ConfigFile}. Name a Hugging Face checkpoint folder.");
        }

        return folder;
    }

    private static SpecialTokens Tokens(string folder, LlamaShape shape, JsonField configuration)
    {
        string file = Path.Combine(folder, "generation_config.json");
        JsonField? generation = File.Exists(file) ? JsonField.ReadFile(file) : null;
        IReadOnlyList<int> eos = generation?.Find("eos_token_id")?.TokenIds() ?? shape.EosTokenIds;
        int? bos = generation?.Find("bos_token_id") is { } id ? id.TokenId() : shape.BosTokenId;
        int? pad = (generation?.Find("pad_token_id") ?? configuration.Find("pad_token_id"))?.TokenId();
        return new SpecialTokens(bos, eos, pad ?? (eos is [var first, ..] ? first : null));
    }

    private static void CheckUnquantized(JsonField config)
    {
        if ((config.Find("quantization_config") ?? config.Find("compression_config")) is { } quantization)
        {
            string method = quantization.Find("quant_method")?.Text() ?? "an unnamed method";
            throw new ModelException(
                $"{config.File}: the checkpoint is quantized ({Shown.Text(method)}). Use the unquantized checkpoint that it was made from."
            );
        }
    }

    private static Dictionary<string, CheckpointTensor> Tensors(WeightMap map, Func<string, bool> isNeeded)
    {
        Dictionary<string, CheckpointTensor> found = new(StringComparer.Ordinal);
        foreach (CheckpointTensor tensor in map.Files.SelectMany(file => SafetensorsFile.Read(file, LlamaTensors.IsWeight)))
        {
            if (!found.TryAdd(tensor.Name, tensor))
            {
                throw new ModelException(
                    $"{Shown.Text(tensor.File)}: tensor '{Shown.Text(tensor.Name)}' is also in "
                        + $"{Shown.Text(Path.GetFileName(found[tensor.Name].File))}. Keep the files of one checkpoint only."
                );
            }
        }

        foreach ((string name, string file) in map.Index.Where(entry => isNeeded(entry.Key)))
        {
            if (!found.TryGetValue(name, out CheckpointTensor? tensor) || tensor.File != file)
            {
                throw new ModelException(
                    $"{Shown.Text(file)} lacks tensor '{Shown.Text(name)}', which {WeightMap.IndexFile} says it holds. Download the "
                        + "checkpoint again."
                );
            }
        }

        return found;
    }
}
