namespace Llama3Perf.Models.Inspection;

/// <summary>What is wrong or doubtful about the token ids that a folder's files tell.</summary>
/// <param name="ConfigurationFile">Name of the file that tells them.</param>
/// <param name="VocabularySize">Rows of the embedding.</param>
/// <param name="BosTokenId">Begins a sequence, or null.</param>
/// <param name="EosTokenIds">Each ends a generation.</param>
/// <param name="HasChatTemplate">True when there is one for ONNX Runtime GenAI.</param>
internal sealed record TokenProblems(
    string ConfigurationFile,
    int VocabularySize,
    int? BosTokenId,
    IReadOnlyList<int> EosTokenIds,
    bool HasChatTemplate
)
{
    public IEnumerable<string> Find(TokenizerFacts? tokenizer)
    {
        if (tokenizer is { Size: var size } && size > VocabularySize)
        {
            yield return $"tokenizer.json has ids up to {size - 1}, the model's vocabulary ends at {VocabularySize - 1}: some texts fail";
        }

        if (!HasChatTemplate)
        {
            yield return "chat_template.jinja is missing: ONNX Runtime GenAI has no chat template then";
        }

        if (BosTokenId is null)
        {
            yield return $"{ConfigurationFile} has no bos_token_id: ppN prompts begin without one";
        }

        if (BosTokenId >= VocabularySize)
        {
            yield return $"bos_token_id {BosTokenId} is outside the vocabulary of {VocabularySize}";
        }

        int[] outside = [.. EosTokenIds.Where(id => id >= VocabularySize)];
        if (outside.Length > 0)
        {
            yield return $"eos_token_id {string.Join(", ", outside)} is outside the vocabulary of {VocabularySize}: it never comes";
        }

        if (EosTokenIds.Count == 0)
        {
            yield return $"{ConfigurationFile} has no eos_token_id: a generation ends at its longest length only";
        }
    }
}
