using System.Text.Json;

namespace Llama3Perf.Inference.Tokenization;

/// <summary>What a byte-level BPE tokenizer.json holds.</summary>
/// <param name="Vocabulary">Token text, in byte-level characters, to id.</param>
/// <param name="Merges">Pairs of token ids to what they become.</param>
/// <param name="Added">Tokens that are found in the text itself.</param>
/// <param name="Steps">Steps of the pre-tokenizer, in order.</param>
/// <param name="IgnoreMerges">True when a piece that is a token as a whole is taken as that.</param>
/// <param name="UnknownId">Id that stands for a byte outside the vocabulary; null when such a byte is left out.</param>
/// <param name="FuseUnknown">True when neighbours that are unknown are one.</param>
internal sealed record TokenizerFile(
    IReadOnlyDictionary<string, int> Vocabulary, IReadOnlyDictionary<(int Left, int Right), PairMerge> Merges, IReadOnlyList<AddedToken> Added,
    IReadOnlyList<SplitStep> Steps, bool IgnoreMerges, int? UnknownId, bool FuseUnknown)
{
    /// <summary>Reads a file. Post-processor, truncation and padding are not of interest here: a prompt says itself where it begins.</summary>
    /// <exception cref="EngineException">It is broken, or no byte-level BPE tokenizer.</exception>
    public static TokenizerFile Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Read(document.RootElement);
        }
        catch (NotSupportedException exception)
        {
            throw new EngineException($"{path} {OneLine(exception)}; the suite reads byte-level BPE, which Llama 3 uses", exception);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            throw new EngineException($"{path} is no tokenizer.json that can be read: {OneLine(exception)}", exception);
        }
    }

    private static TokenizerFile Read(JsonElement root)
    {
        JsonElement model = root.Member("model", JsonValueKind.Object);
        RefuseOtherModels(root, model);
        Dictionary<string, int> vocabulary = ReadVocabulary(model.Member("vocab", JsonValueKind.Object));
        string? unknown = model.Text("unk_token");
        return new TokenizerFile(
            vocabulary,
            ReadMerges(model.Member("merges", JsonValueKind.Array), vocabulary),
            ReadAdded(root),
            PreTokenizerReader.Read(root),
            model.Flag("ignore_merges"),
            unknown is not null && vocabulary.TryGetValue(unknown, out int id) ? id : null,
            model.Flag("fuse_unk"));
    }

    private static void RefuseOtherModels(JsonElement root, JsonElement model)
    {
        string type = model.Text("type") ?? (model.Optional("merges") is null ? "model without merges" : "BPE");
        string? reason = type != "BPE" ? $"is a {type} tokenizer"
            : model.Flag("byte_fallback") ? "is a SentencePiece-style BPE tokenizer (byte_fallback), as Llama 2 has"
            : model.Text("continuing_subword_prefix") is { Length: > 0 } ? "is a BPE tokenizer with continuing_subword_prefix"
            : model.Text("end_of_word_suffix") is { Length: > 0 } ? "is a BPE tokenizer with end_of_word_suffix"
            : model.Optional("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.TryGetDouble(out double rate) && rate == 0) ? "is a BPE tokenizer with dropout"
            : root.Optional("normalizer") is { } normalizer && !IsEmptySequence(normalizer) ? $"has a {normalizer.Text("type")} normalizer"
            : null;
        if (reason is not null)
        {
            throw new NotSupportedException(reason);
        }
    }

    private static bool IsEmptySequence(JsonElement normalizer) =>
        normalizer.Text("type") == "Sequence" && normalizer.Member("normalizers", JsonValueKind.Array).GetArrayLength() == 0;

    private static Dictionary<string, int> ReadVocabulary(JsonElement vocabulary)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        foreach (JsonProperty token in vocabulary.EnumerateObject())
        {
            ids[token.Name] = token.Value.TokenId();
        }

        return ids;
    }

    private static Dictionary<(int Left, int Right), PairMerge> ReadMerges(JsonElement list, Dictionary<string, int> vocabulary)
    {
        int Id(string token) => vocabulary.TryGetValue(token, out int id) ? id : throw new FormatException($"a merge needs the token '{token}', which the vocabulary lacks");

        Dictionary<(int Left, int Right), PairMerge> merges = [];
        int rank = 0;
        foreach (JsonElement merge in list.EnumerateArray())
        {
            (string left, string right) = ReadPair(merge);
            merges[(Id(left), Id(right))] = new PairMerge(rank++, Id(left + right));
        }

        return merges;
    }

    // Files of before 2024 write "a b", later ones ["a", "b"].
    private static (string Left, string Right) ReadPair(JsonElement merge)
    {
        string?[] parts = merge.ValueKind switch
        {
            JsonValueKind.String => [.. merge.GetString()!.Split(' ')],
            JsonValueKind.Array => [.. merge.EnumerateArray().Select(part => part.GetString())],
            _ => Array.Empty<string?>(),
        };
        return parts is [{ } left, { } right] ? (left, right) : throw new FormatException("a merge is no pair of tokens");
    }

    private static AddedToken[] ReadAdded(JsonElement root) => root.Optional("added_tokens") is null
        ? []
        : [.. root.Member("added_tokens", JsonValueKind.Array).EnumerateArray().Select((token, index) => ReadAdded(token, index)).Where(token => token.Content.Length > 0)];

    private static AddedToken ReadAdded(JsonElement token, int index)
    {
        if (token.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException($"added token {index} is no object");
        }

        return new AddedToken(
            token.Member("content", JsonValueKind.String).GetString()!, token.Member("id", JsonValueKind.Number).TokenId(),
            token.Flag("single_word"), token.Flag("lstrip"), token.Flag("rstrip"), token.Flag("normalized"));
    }

    private static string OneLine(Exception exception) => exception.Message.ReplaceLineEndings(" ");
}
