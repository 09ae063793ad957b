using System.Text.Json;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Inspection;

/// <summary>What a tokenizer.json is, as far as it is understood here.</summary>
/// <param name="Kind">Like <c>byte-level BPE</c>.</param>
/// <param name="Size">Highest id plus one.</param>
/// <param name="AddedCount">Tokens that are found in the text itself: special ones.</param>
public sealed record TokenizerFacts(string Kind, int Size, int AddedCount)
{
    /// <summary>The facts of a folder's file, or null where it is missing or not understood: other tokenizers have other forms.</summary>
    internal static TokenizerFacts? Read(string folder)
    {
        try
        {
            using FileStream stream = InputFile.Open(Path.Combine(folder, "tokenizer.json"), InputFile.MaxJsonBytes, "is not JSON");
            using var document = JsonDocument.Parse(stream);
            JsonElement model = document.RootElement.GetProperty("model");
            Dictionary<string, int> ids = Vocabulary(model.GetProperty("vocab"));
            string[] added = document.RootElement.TryGetProperty("added_tokens", out JsonElement list)
                ? [.. list.EnumerateArray().Select(token => Text(token.GetProperty("content")))]
                : [];
            return new TokenizerFacts(KindOf(document.RootElement, model), SizeOf(ids, added), added.Length);
        }
        catch (Exception e)
            when (e
                    is JsonException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or FormatException
                        or ModelException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            return null;
        }
    }

    // Texts with their ids, or a list of texts with their scores, whose places are the ids.
    private static Dictionary<string, int> Vocabulary(JsonElement vocabulary) =>
        vocabulary.ValueKind == JsonValueKind.Array
            ? vocabulary
                .EnumerateArray()
                .Select((entry, id) => (Text: Text(entry[0]), Id: id))
                .DistinctBy(entry => entry.Text)
                .ToDictionary(entry => entry.Text, entry => entry.Id)
            : vocabulary
                .EnumerateObject()
                .DistinctBy(token => token.Name)
                .ToDictionary(token => token.Name, token => token.Value.GetInt32());

    // As Hugging Face assigns them, whatever ids the file names: one that the vocabulary has keeps its id there, the others follow it.
    private static int SizeOf(Dictionary<string, int> ids, string[] added)
    {
        int last = -1;
        foreach (string text in added.Distinct())
        {
            last = Math.Max(last, ids.TryGetValue(text, out int id) ? id : Math.Max(ids.Count, last + 1));
        }

        return ids.Values.Append(last).Max() + 1;
    }

    private static string Text(JsonElement element) => element.GetString() ?? throw new JsonException();

    private static string KindOf(JsonElement root, JsonElement model)
    {
        string type = model.TryGetProperty("type", out JsonElement name) ? name.GetString() ?? "BPE" : "BPE";
        string steps = root.TryGetProperty("pre_tokenizer", out JsonElement preTokenizer) ? preTokenizer.GetRawText() : "";
        bool isSentencePiece =
            steps.Contains("\"Metaspace\"", StringComparison.Ordinal)
            || (model.TryGetProperty("byte_fallback", out JsonElement fallback) && fallback.ValueKind == JsonValueKind.True);
        return isSentencePiece ? $"SentencePiece-style {type}"
            : steps.Contains("\"ByteLevel\"", StringComparison.Ordinal) ? $"byte-level {type}"
            : type;
    }
}
