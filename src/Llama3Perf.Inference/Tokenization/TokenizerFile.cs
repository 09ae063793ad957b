using System.Text.Json;
using Llama3Perf.Inference.Engines;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>What a byte-level BPE tokenizer.json holds.</summary>
/// <param name="Vocabulary">Token text, in byte-level characters, to id.</param>
/// <param name="Merges">Pairs in order of rank, each <c>left right</c>.</param>
/// <param name="Special">Added tokens, plain text, to id.</param>
/// <param name="Pattern">Regular expression whose matches are merged on their own.</param>
/// <param name="IgnoreMerges">True when a piece that is a token as a whole is taken as that.</param>
internal sealed record TokenizerFile(
    IReadOnlyDictionary<string, int> Vocabulary, IReadOnlyList<string> Merges, IReadOnlyDictionary<string, int> Special, string Pattern, bool IgnoreMerges)
{
    // GPT-2's, which a ByteLevel pre-tokenizer uses when no other pattern is given.
    private const string ByteLevelPattern = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Reads a file.</summary>
    /// <exception cref="EngineException">It is broken, or no byte-level BPE tokenizer.</exception>
    public static TokenizerFile Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            JsonElement model = root.GetProperty("model");
            if (model.TryGetProperty("type", out JsonElement type) && type.GetString() != "BPE")
            {
                throw new EngineException($"{path} is a {type.GetString()} tokenizer; the suite reads byte-level BPE, which Llama-3 uses");
            }

            return new TokenizerFile(
                model.GetProperty("vocab").EnumerateObject().ToDictionary(token => token.Name, token => token.Value.GetInt32()),
                [.. model.GetProperty("merges").EnumerateArray().Select(Merge)],
                AddedTokens(root),
                PatternOf(path, root),
                model.TryGetProperty("ignore_merges", out JsonElement ignore) && ignore.ValueKind == JsonValueKind.True);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or IOException)
        {
            throw new EngineException($"{path} is no tokenizer.json that can be read: {exception.Message.ReplaceLineEndings(" ")}", exception);
        }
    }

    private static string Merge(JsonElement merge) => merge.ValueKind == JsonValueKind.Array
        ? $"{merge[0].GetString()} {merge[1].GetString()}"
        : merge.GetString()!;

    private static Dictionary<string, int> AddedTokens(JsonElement root) =>
        root.TryGetProperty("added_tokens", out JsonElement added) && added.ValueKind == JsonValueKind.Array
            ? added.EnumerateArray().ToDictionary(token => token.GetProperty("content").GetString()!, token => token.GetProperty("id").GetInt32())
            : [];

    private static string PatternOf(string path, JsonElement root)
    {
        JsonElement preTokenizer = root.GetProperty("pre_tokenizer");
        JsonElement[] steps = preTokenizer.ValueKind == JsonValueKind.Object && preTokenizer.TryGetProperty("pretokenizers", out JsonElement list)
            ? [.. list.EnumerateArray()]
            : [preTokenizer];
        if (!steps.Any(step => step.ValueKind == JsonValueKind.Object && step.GetProperty("type").GetString() == "ByteLevel"))
        {
            throw new EngineException($"{path} is not a byte-level tokenizer, which Llama-3 uses");
        }

        JsonElement[] splits = [.. steps.Where(step => step.GetProperty("type").GetString() == "Split")];
        return splits.Length == 0 ? ByteLevelPattern : splits[0].GetProperty("pattern").GetProperty("Regex").GetString()!;
    }
}
