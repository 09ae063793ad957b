using System.Text.Json;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Which files hold the weights, and what the index says of them.</summary>
/// <param name="Files">Absolute paths, in ordinal order.</param>
/// <param name="Index">Tensor to absolute path of its file; empty for a folder without index.</param>
internal sealed record WeightMap(IReadOnlyList<string> Files, IReadOnlyDictionary<string, string> Index)
{
    public const string SingleFile = "model.safetensors";
    public const string IndexFile = "model.safetensors.index.json";

    private static readonly Dictionary<string, string> s_noIndex = [];

    /// <summary>True when there are weights, readable or not.</summary>
    public static bool HasWeights(string folder) =>
        File.Exists(Path.Combine(folder, IndexFile)) || Safetensors(folder).Any() || Pickles(folder).Any();

    /// <summary>One file, else the index, else every safetensors file: the order in which transformers looks.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="isNeeded">True for tensors that are used. An index may name others in files that are not there.</param>
    /// <exception cref="ModelException">No weights, weights in another format, an index that does not fit the folder, or links that lead
    /// out of it.</exception>
    public static WeightMap Read(string folder, Func<string, bool> isNeeded)
    {
        WeightMap map = Find(folder, isNeeded);
        foreach (string file in map.Files)
        {
            FileLinks.Check(folder, file);
        }

        return map;
    }

    private static WeightMap Find(string folder, Func<string, bool> isNeeded)
    {
        string single = Path.Combine(folder, SingleFile);
        if (File.Exists(single))
        {
            return new WeightMap([single], s_noIndex);
        }

        string index = Path.Combine(folder, IndexFile);
        if (File.Exists(index))
        {
            return ReadIndex(folder, index, isNeeded);
        }

        string[] files = [.. Safetensors(folder).Order(StringComparer.Ordinal)];
        if (files.Length == 0 && Pickles(folder).Order(StringComparer.Ordinal).FirstOrDefault() is { } pickle)
        {
            throw new ModelException(
                $"{Shown.Text(pickle)} is a PyTorch file, which is not read. Convert the checkpoint to safetensors or download one that "
                    + "has them."
            );
        }

        return files.Length > 0
            ? new WeightMap(files, s_noIndex)
            : throw new ModelException($"'{folder}' has no *.safetensors. Name a Hugging Face checkpoint folder with its weights.");
    }

    private static WeightMap ReadIndex(string folder, string path, Func<string, bool> isNeeded)
    {
        JsonField map = JsonField.ReadFile(path)["weight_map"];
        if (map.Element.ValueKind != JsonValueKind.Object)
        {
            throw map.Wrong("an object of tensor names and files");
        }

        Dictionary<string, string> index = new(StringComparer.Ordinal);
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonProperty property in map.Element.EnumerateObject())
        {
            string name =
                JsonNames.Of(property)
                ?? throw new ModelException($"{path}: a tensor's name is not valid Unicode. Download the file again.");
            string file = Shard(folder, path, name, new JsonField(path, $"weight_map '{Shown.Text(name)}'", property.Value).Text());
            if (!names.Add(name))
            {
                throw new ModelException($"{path}: weight_map names tensor '{Shown.Text(name)}' twice. Download the file again.");
            }

            if (File.Exists(file))
            {
                index.Add(name, file);
            }
            else if (isNeeded(name))
            {
                throw new ModelException(
                    $"{Shown.Text(file)} is missing; {IndexFile} names it for tensor '{Shown.Text(name)}'. Download the checkpoint again."
                );
            }
        }

        return index.Count > 0
            ? new WeightMap([.. index.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)], index)
            : throw new ModelException($"{path}: weight_map is empty. Download the file again.");
    }

    private static string Shard(string folder, string index, string tensor, string name)
    {
        // A plain name on every system: no folder, no drive, no way up.
        if (name.AsSpan().IndexOfAny("/\\:\0") >= 0 || !name.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            throw new ModelException(
                $"{index}: tensor '{Shown.Text(tensor)}' is said to be in '{Shown.Text(name)}', expected the name of a .safetensors file "
                    + "beside the index. Download the checkpoint again."
            );
        }

        return Path.Combine(folder, name);
    }

    private static IEnumerable<string> Safetensors(string folder) => Directory.EnumerateFiles(folder, "*.safetensors");

    private static IEnumerable<string> Pickles(string folder) => Directory.EnumerateFiles(folder, "pytorch_model*.bin");
}
