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
            int[] ids = [.. model.GetProperty("vocab").EnumerateObject().Select(token => token.Value.GetInt32())];
            int[] added = document.RootElement.TryGetProperty("added_tokens", out JsonElement list)
                ? [.. list.EnumerateArray().Select(token => token.GetProperty("id").GetInt32())]
                : [];
            return new TokenizerFacts(KindOf(document.RootElement, model), ids.Concat(added).Append(-1).Max() + 1, added.Length);
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
