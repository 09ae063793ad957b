using Llama3Perf.Models.Files;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Takes a checkpoint's tokenizer over into a model folder, in the files that ONNX Runtime GenAI reads.</summary>
/// <param name="Tokenizer">Path of tokenizer.json.</param>
/// <param name="Settings">Text of tokenizer_config.json.</param>
/// <param name="Template">The chat template, or null.</param>
/// <param name="Tokens">The checkpoint's special tokens.</param>
internal sealed record CheckpointTokenizer(string Tokenizer, string Settings, string? Template, SpecialTokens Tokens)
{
    /// <summary>Reads what <see cref="Write"/> needs, so that a tokenizer that is not there is known before anything is
    /// converted.</summary>
    /// <exception cref="ModelException">The checkpoint has no tokenizer that GenAI reads.</exception>
    public static CheckpointTokenizer Of(Checkpoint checkpoint)
    {
        string tokenizer = Path.Combine(checkpoint.Path, "tokenizer.json");
        if (!File.Exists(tokenizer))
        {
            throw new ModelException(
                $"{tokenizer} is missing: ONNX Runtime GenAI reads no other form of a tokenizer. Take it from the checkpoint's source, or "
                    + "save it with transformers' PreTrainedTokenizerFast."
            );
        }

        string? template = ChatTemplateFile.Read(checkpoint.Path);
        string configuration = Path.Combine(checkpoint.Path, "tokenizer_config.json");
        if (!File.Exists(configuration))
        {
            return new CheckpointTokenizer(tokenizer, "{}\n", template, checkpoint.Tokens);
        }

        // A broken one is refused here too.
        _ = JsonField.ReadFile(configuration);
        return new CheckpointTokenizer(tokenizer, InputFile.ReadText(configuration, "is not JSON"), template, checkpoint.Tokens);
    }

    /// <summary>Writes the files into a folder.</summary>
    /// <returns>The special tokens.</returns>
    public SpecialTokens Write(string folder)
    {
        InputFile.Copy(Tokenizer, Path.Combine(folder, "tokenizer.json"));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), Settings);
        if (Template is not null)
        {
            File.WriteAllText(Path.Combine(folder, ChatTemplateFile.Name), Template);
        }

        return Tokens;
    }
}
