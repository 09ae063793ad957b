using System.Text.Json;

namespace Llama3Perf.Models.Folders;

/// <summary>What is wrong or doubtful about a folder that opens.</summary>
internal static class FolderProblems
{
    private const long LargeBytes = 1 << 20;
    private const int PageBytes = 4096;

    public static IEnumerable<string> Find(ModelFolder folder, InspectedGraph graph) => [.. Tokens(folder), .. Graph(folder, graph), .. Data(graph)];

    private static IEnumerable<string> Tokens(ModelFolder folder)
    {
        if (TokenizerSize(folder) is { } size && size > folder.VocabularySize)
        {
            yield return $"tokenizer.json has ids up to {size - 1}, the model's vocabulary ends at {folder.VocabularySize - 1}: some texts fail";
        }

        if (!File.Exists(Path.Combine(folder.Path, "chat_template.jinja")))
        {
            yield return "chat_template.jinja is missing: ONNX Runtime GenAI has no chat template then";
        }

        if (folder.BosTokenId is null)
        {
            yield return "genai_config.json has no bos_token_id: prompts begin without one";
        }

        if (folder.BosTokenId >= folder.VocabularySize)
        {
            yield return $"bos_token_id {folder.BosTokenId} is outside the vocabulary of {folder.VocabularySize}";
        }

        int[] outside = [.. folder.EosTokenIds.Where(id => id >= folder.VocabularySize)];
        if (outside.Length > 0)
        {
            yield return $"eos_token_id {string.Join(", ", outside)} is outside the vocabulary of {folder.VocabularySize}: it never comes";
        }

        if (folder.EosTokenIds.Count == 0)
        {
            yield return "genai_config.json has no eos_token_id: a generation ends at its longest length only";
        }
    }

    private static IEnumerable<string> Graph(ModelFolder folder, InspectedGraph graph)
    {
        if (folder.Family == GraphFamily.DirectML && folder.Names.PositionIds is null)
        {
            yield return "the DirectML graph has no position_ids input";
        }

        if (graph.RotaryRows < folder.ContextLength)
        {
            yield return $"the context of {folder.ContextLength} is longer than the {graph.RotaryRows} rows of the rotary caches";
        }

        if (graph.TiedThrough is { } through)
        {
            yield return $"the embedding reads the LM head's matrix through a {through}: ONNX Runtime makes a second copy of the matrix when it loads";
        }
    }

    private static IEnumerable<string> Data(InspectedGraph graph)
    {
        string[] unused = [.. graph.Unused()];
        if (unused.Length > 0)
        {
            yield return $"no node uses {Some(unused)}: {unused.Sum(graph.Tensors.Bytes)} bytes";
        }

        string[] unaligned = [.. graph.Tensors.Unaligned(LargeBytes, PageBytes)];
        if (unaligned.Length > 0)
        {
            yield return $"the data of {Some(unaligned)} does not start on a page of {PageBytes} bytes, as mapping into memory wants it";
        }
    }

    private static string Some(string[] names) => names.Length == 1 ? names[0] : $"{names[0]} and {names.Length - 1} more";

    /// <summary>Highest id of tokenizer.json plus one, or null where it is not understood: other tokenizers have other forms.</summary>
    private static int? TokenizerSize(ModelFolder folder)
    {
        try
        {
            using FileStream stream = File.OpenRead(Path.Combine(folder.Path, "tokenizer.json"));
            using var document = JsonDocument.Parse(stream);
            IEnumerable<int> ids = document.RootElement.GetProperty("model").GetProperty("vocab").EnumerateObject().Select(token => token.Value.GetInt32());
            IEnumerable<int> added = document.RootElement.TryGetProperty("added_tokens", out JsonElement list)
                ? list.EnumerateArray().Select(token => token.GetProperty("id").GetInt32())
                : [];
            return ids.Concat(added).Max() + 1;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
