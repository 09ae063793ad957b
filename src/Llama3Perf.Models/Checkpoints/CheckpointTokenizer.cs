using System.Text.Json;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Takes a checkpoint's tokenizer over into a model folder, in the files that ONNX Runtime GenAI reads.</summary>
internal static class CheckpointTokenizer
{
    private const string Template = "chat_template.jinja";

    /// <summary>Copies the files.</summary>
    /// <returns>The checkpoint's special tokens.</returns>
    /// <exception cref="ModelException">The checkpoint has no tokenizer that GenAI reads.</exception>
    public static SpecialTokens Copy(Checkpoint checkpoint, string folder)
    {
        string tokenizer = Path.Combine(checkpoint.Path, "tokenizer.json");
        if (!File.Exists(tokenizer))
        {
            throw new ModelException(
                $"{tokenizer} is missing: ONNX Runtime GenAI reads no other form of a tokenizer. Take it from the checkpoint's source, or save it with transformers' PreTrainedTokenizerFast.");
        }

        File.Copy(tokenizer, Path.Combine(folder, "tokenizer.json"));
        string configuration = Path.Combine(checkpoint.Path, "tokenizer_config.json");
        JsonField? settings = File.Exists(configuration) ? JsonField.ReadFile(configuration) : null;
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), settings is null ? "{}\n" : File.ReadAllText(configuration));
        CopyTemplate(checkpoint.Path, settings, folder);
        return checkpoint.Tokens;
    }

    /// <summary>True when <see cref="Copy"/> finds a chat template.</summary>
    /// <exception cref="ModelException">tokenizer_config.json is broken.</exception>
    public static bool HasTemplate(string folder)
    {
        string configuration = Path.Combine(folder, "tokenizer_config.json");
        return File.Exists(Path.Combine(folder, Template))
            || (File.Exists(configuration) && JsonField.ReadFile(configuration).Find("chat_template") is { Element.ValueKind: JsonValueKind.String });
    }

    // Older checkpoints keep the template as a string in tokenizer_config.json; GenAI wants it in a file of its own.
    private static void CopyTemplate(string source, JsonField? settings, string folder)
    {
        string file = Path.Combine(source, Template);
        if (File.Exists(file))
        {
            File.Copy(file, Path.Combine(folder, Template));
        }
        else if (settings?.Find("chat_template") is { Element.ValueKind: JsonValueKind.String } template)
        {
            File.WriteAllText(Path.Combine(folder, Template), template.Text());
        }
    }
}
