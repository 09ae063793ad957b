using System.Text.Json;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Gguf;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Converting;

/// <summary>
/// A byte-level tokenizer.json as llama.cpp keeps it (<c>tokenizer.ggml.*</c>, model <c>gpt2</c>). llama.cpp has its own code for each
/// pre-tokenizer and knows them by name: only those of <see cref="s_preTokenizers"/> are written, all others refused.
/// </summary>
internal sealed class GgufTokenizer
{
    // Types of tokens in llama.h.
    private const int Normal = 1;
    private const int Control = 3;
    private const int UserDefined = 4;
    private const int Unused = 5;

    // The regular expression of tokenizer.json, whether it merges whole words that are in the vocabulary (ignore_merges), and the name
    // under which llama.cpp does the same (llama-vocab.cpp).
    private static readonly (string Pattern, bool IgnoresMerges, string Name)[] s_preTokenizers =
    [
        (Llama3Tokens.PreTokenizerPattern, true, "llama-bpe"),
        (@"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", false, "qwen2"),
        ("", false, "gpt-2"),
    ];

    private readonly string _file;
    private readonly string[] _tokens;
    private readonly int[] _types;

    private GgufTokenizer(string file, int vocabularySize)
    {
        _file = file;
        _tokens = new string[vocabularySize];
        _types = new int[vocabularySize];
        var root = JsonField.ReadFile(file);
        JsonField model = root["model"];
        CheckModel(model);
        PreTokenizer = PreTokenizerOf(root, model.Find("ignore_merges")?.Boolean() ?? false);
        FillTokens(root, model);
        Merges = [.. MergesOf(model)];
    }

    /// <summary>llama.cpp's name of the pre-tokenizer.</summary>
    public string PreTokenizer { get; }

    public IReadOnlyList<string> Merges { get; }

    /// <summary>Reads a folder's tokenizer.json.</summary>
    /// <exception cref="ModelException">It is none that llama.cpp reads in the same way.</exception>
    public static GgufTokenizer Of(ModelFolder folder) => new(Path.Combine(folder.Path, "tokenizer.json"), folder.VocabularySize);

    /// <summary>Adds keys and values.</summary>
    /// <param name="header">Where to.</param>
    /// <param name="folder">Says the special tokens.</param>
    /// <param name="template">The chat template, or null.</param>
    public void AddTo(GgufHeader header, ModelFolder folder, string? template)
    {
        header.Add("tokenizer.ggml.model", "gpt2");
        header.Add("tokenizer.ggml.pre", PreTokenizer);
        header.Add("tokenizer.ggml.tokens", _tokens);
        header.Add("tokenizer.ggml.token_type", _types);
        header.Add("tokenizer.ggml.merges", [.. Merges]);
        if (folder.BosTokenId is { } bos)
        {
            header.Add("tokenizer.ggml.bos_token_id", (uint)bos);
        }

        if (folder.EosTokenIds is [var eos, ..])
        {
            header.Add("tokenizer.ggml.eos_token_id", (uint)eos);
        }

        header.Add("tokenizer.ggml.add_bos_token", folder.BosTokenId is not null);
        if (template is not null)
        {
            header.Add("tokenizer.chat_template", template);
        }
    }

    private void CheckModel(JsonField model)
    {
        if (model["type"].Text() != "BPE" || model.Find("byte_fallback")?.Boolean() == true)
        {
            throw Refused("it is no byte-level BPE");
        }
    }

    private string PreTokenizerOf(JsonField root, bool ignoresMerges)
    {
        if (root.Find("normalizer") is not null)
        {
            throw Refused("it changes texts before it splits them (normalizer), which llama.cpp does not");
        }

        JsonField[] steps = root.Find("pre_tokenizer") is { } step ? [.. Steps(step)] : [];
        bool isByteLevel =
            steps is [.., var last] && last["type"].Text() == "ByteLevel" && last.Find("add_prefix_space")?.Boolean() != true;
        string? pattern = steps switch
        {
            [var only] when isByteLevel && only.Find("use_regex")?.Boolean() != false => "",
            [var split, var bytes] when isByteLevel && bytes.Find("use_regex")?.Boolean() == false && IsIsolated(split) => split["pattern"]
                .Find("Regex")
                ?.Text(),
            _ => null,
        };
        return Array.Find(s_preTokenizers, known => known.Pattern == pattern && known.IgnoresMerges == ignoresMerges) is { Name: { } name }
            ? name
            : throw Refused(
                $"its pre-tokenizer is none of {string.Join(", ", s_preTokenizers.Select(known => known.Name))}, which llama.cpp knows by "
                    + "name"
            );
    }

    private static IEnumerable<JsonField> Steps(JsonField step) =>
        step["type"].Text() == "Sequence" && step["pretokenizers"] is { Element.ValueKind: JsonValueKind.Array } list
            ? list.Element.EnumerateArray().Select((item, i) => new JsonField(list.File, $"{list.Key}[{i}]", item))
            : [step];

    private static bool IsIsolated(JsonField split) =>
        split["type"].Text() == "Split" && split["behavior"].Text() == "Isolated" && split.Find("invert")?.Boolean() != true;

    private void FillTokens(JsonField root, JsonField model)
    {
        JsonField vocabulary = model["vocab"];
        foreach (JsonProperty token in Properties(vocabulary))
        {
            Set(
                new JsonField(_file, $"model.vocab '{Shown.Text(token.Name)}'", token.Value).Integer(minimum: 0),
                JsonNames.Of(token) ?? throw Refused("a token's text is not valid Unicode"),
                Normal
            );
        }

        if (root.Find("added_tokens") is { Element.ValueKind: JsonValueKind.Array } added)
        {
            foreach (JsonField token in added.Element.EnumerateArray().Select(item => new JsonField(_file, "added_tokens", item)))
            {
                Set(
                    token["id"].Integer(minimum: 0),
                    token["content"].Text(),
                    token.Find("special")?.Boolean() == true ? Control : UserDefined
                );
            }
        }

        for (int id = 0; id < _tokens.Length; id++)
        {
            // Rows of the embedding that no text has.
            if (_tokens[id] is null)
            {
                (_tokens[id], _types[id]) = ($"[PAD{id}]", Unused);
            }
        }

        // llama.cpp finds tokens by their text, and ends the process where two are the same.
        if (_tokens.GroupBy(token => token, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw Refused($"two ids have the text '{Shown.Text(twice.Key)}'");
        }
    }

    private static JsonElement.ObjectEnumerator Properties(JsonField field) =>
        field.Element.ValueKind == JsonValueKind.Object ? field.Element.EnumerateObject() : throw field.Wrong("an object");

    private void Set(int id, string text, int type)
    {
        if (id >= _tokens.Length)
        {
            throw Refused($"the token '{Shown.Text(text)}' has the id {id}, and the model's vocabulary ends at {_tokens.Length - 1}");
        }

        (_tokens[id], _types[id]) = (text, type);
    }

    private static IEnumerable<string> MergesOf(JsonField model)
    {
        JsonField merges = model["merges"];
        if (merges.Element.ValueKind != JsonValueKind.Array)
        {
            throw merges.Wrong("a list");
        }

        // Files of before 2024 write "a b", later ones ["a", "b"].
        foreach (JsonElement merge in merges.Element.EnumerateArray())
        {
            var field = new JsonField(merges.File, merges.Key, merge);
            yield return merge.ValueKind == JsonValueKind.Array ? string.Join(' ', field.Texts()) : field.Text();
        }
    }

    private ModelException Refused(string reason) => new($"{_file} cannot be written into a GGUF file: {reason}.");
}
