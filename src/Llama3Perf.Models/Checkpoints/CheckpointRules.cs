using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Whether the tensors that were found are those that config.json describes.</summary>
internal static class CheckpointRules
{
    /// <summary>Exactly the tensors that the shape asks for.</summary>
    /// <exception cref="ModelException">Tensors are missing, too many, or of another shape.</exception>
    public static IReadOnlyDictionary<string, CheckpointTensor> Select(
        string folder,
        LlamaShape shape,
        IReadOnlyDictionary<string, CheckpointTensor> found
    )
    {
        Dictionary<string, CheckpointTensor> selected = new(StringComparer.Ordinal);
        List<string> missing = [];
        foreach ((string name, long[] dims) in LlamaTensors.Of(shape))
        {
            if (!found.TryGetValue(name, out CheckpointTensor? tensor))
            {
                missing.Add(name);
                continue;
            }

            CheckShape(tensor, dims);
            selected.Add(name, tensor);
        }

        if (missing.Count > 0)
        {
            CheckPrefix(folder, found.Keys);
            throw new ModelException(
                $"'{folder}' lacks {Count(missing)} that its config.json asks for: {Shown.List(missing)}. Download the checkpoint again, "
                    + "or the config.json that belongs to it."
            );
        }

        CheckExtra(folder, found.Keys.Where(name => !selected.ContainsKey(name)));
        return selected;
    }

    private static void CheckShape(CheckpointTensor tensor, long[] expected)
    {
        if (!tensor.Shape.SequenceEqual(expected))
        {
            throw new ModelException(
                $"{Shown.Text(tensor.File)}: tensor '{tensor.Name}' has the shape {Dims(tensor.Shape)}, config.json asks for "
                    + $"{Dims(expected)}. Use the config.json that belongs to the weights."
            );
        }
    }

    private static void CheckExtra(string folder, IEnumerable<string> others)
    {
        string[] extra = [.. others.Order(StringComparer.Ordinal)];
        if (extra.Length > 0)
        {
            throw new ModelException(
                $"'{folder}' has {Count(extra)} that its config.json does not ask for: {Shown.List(extra)}. Use the config.json that "
                    + "belongs to the weights; merge adapters first."
            );
        }
    }

    /// <summary>Names the prefix where all names lack the usual one, or carry another: then nothing is missing.</summary>
    private static void CheckPrefix(string folder, IEnumerable<string> names)
    {
        if (LlamaTensors.Prefix(names) is not { } prefix || prefix == LlamaTensors.UsualPrefix)
        {
            return;
        }

        throw new ModelException(
            prefix.Length == 0
                ? $"'{folder}': its tensors' names lack the prefix '{LlamaTensors.UsualPrefix}', as a bare model without LM head is saved. "
                    + "Save the whole LlamaForCausalLM, or rename the tensors."
                : $"'{folder}': its tensors' names begin with '{Shown.Text(prefix)}' where Llama's begin with "
                    + $"'{LlamaTensors.UsualPrefix}'. Save the inner LlamaForCausalLM by itself, or rename the tensors."
        );
    }

    private static string Count(IReadOnlyCollection<string> names) => names.Count == 1 ? "a tensor" : $"{names.Count} tensors";

    private static string Dims(IReadOnlyList<long> dims) => $"[{Shown.Text(string.Join(", ", dims))}]";
}
