using System.Text.Encodings.Web;
using System.Text.Json;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Models.Tokenizer;

/// <summary>
/// Writes a byte-level BPE tokenizer in Llama-3's form: its split pattern, its chat template and its special tokens at the end of the
/// vocabulary, with merges learned from a page of English. The same size gives the same files.
/// </summary>
internal static class SyntheticTokenizer
{
    private const string Begin = "<|begin_of_text|>";
    private const string EndOfTurn = "<|eot_id|>";
    private const string Padding = "<|finetune_right_pad_id|>";

    // Llama-3's pre-tokenizer.
    private const string Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    private const string ChatTemplate =
        "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' }}"
        + "{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

    private const int SpecialCount = 256;

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Smallest vocabulary: every byte and every special token.</summary>
    public const int SmallestVocabulary = 256 + SpecialCount;

    /// <summary>Writes tokenizer.json, tokenizer_config.json and chat_template.jinja.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="vocabularySize">Tokens, special ones included.</param>
    public static TokenIds Write(string folder, int vocabularySize)
    {
        string[] special = SpecialTokens();
        int firstSpecial = vocabularySize - special.Length;
        using (FileStream file = File.Create(Path.Combine(folder, "tokenizer.json")))
        using (Utf8JsonWriter json = new(file, s_json))
        {
            WriteTokenizer(json, firstSpecial, special);
        }

        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), ChatTemplate);
        using (FileStream file = File.Create(Path.Combine(folder, "tokenizer_config.json")))
        using (Utf8JsonWriter json = new(file, s_json))
        {
            WriteConfig(json);
        }

        int End(string token) => firstSpecial + Array.IndexOf(special, token);
        return new TokenIds(End(Begin), [End(EndOfTurn), End("<|end_of_text|>"), End("<|eom_id|>")], End(Padding));
    }

    /// <summary>Llama-3's 256 special tokens in its order.</summary>
    internal static string[] SpecialTokens()
    {
        string[] named =
        [
            Begin, "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>", Padding, "<|reserved_special_token_2|>",
            "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", EndOfTurn, "<|python_tag|>",
        ];
        return [.. named, .. Enumerable.Range(3, SpecialCount - named.Length).Select(number => $"<|reserved_special_token_{number}|>")];
    }

    private static void WriteTokenizer(Utf8JsonWriter json, int firstSpecial, string[] special)
    {
        IReadOnlyList<(string Left, string Right)> merges = MergeTrainer.Learn(firstSpecial - 256);
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        json.WriteStartArray("added_tokens");
        for (int i = 0; i < special.Length; i++)
        {
            WriteAddedToken(json, firstSpecial + i, special[i]);
        }

        json.WriteEndArray();
        json.WriteNull("normalizer");
        json.WritePropertyName("pre_tokenizer");
        json.WriteRawValue($$"""
            {"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":{{JsonSerializer.Serialize(Pattern)}}},"behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}]}
            """);
        json.WriteNull("post_processor");
        json.WritePropertyName("decoder");
        json.WriteRawValue("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""");
        WriteModel(json, firstSpecial, merges);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, int ordinaryCount, IReadOnlyList<(string Left, string Right)> merges)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", true);
        json.WriteStartObject("vocab");
        int id = 0;
        foreach (char character in MergeTrainer.ByteCharacters)
        {
            json.WriteNumber(character.ToString(), id++);
        }

        // Two merges can end in the same token.
        HashSet<string> learned = [.. merges.Select(merge => merge.Left + merge.Right)];
        foreach (string token in learned)
        {
            json.WriteNumber(token, id++);
        }

        for (int word = 0; id < ordinaryCount; word++)
        {
            if (Filler(word) is var filler && !learned.Contains(filler))
            {
                json.WriteNumber(filler, id++);
            }
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach ((string left, string right) in merges)
        {
            json.WriteStringValue($"{left} {right}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // A word that nobody writes and anybody can pronounce: synthetic weights babble rather than print numbers.
    private static string Filler(int number)
    {
        const string consonants = "bdfgklmnprstvz";
        const string vowels = "aeiou";
        System.Text.StringBuilder word = new("Ġ");
        for (int syllable = 0; syllable < 3 || number > 0; syllable++)
        {
            word.Append(consonants[number % consonants.Length]);
            number /= consonants.Length;
            word.Append(vowels[number % vowels.Length]);
            number /= vowels.Length;
        }

        return word.ToString();
    }

    private static void WriteAddedToken(Utf8JsonWriter json, int id, string text)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", text);
        json.WriteBoolean("single_word", false);
        json.WriteBoolean("lstrip", false);
        json.WriteBoolean("rstrip", false);
        json.WriteBoolean("normalized", false);
        json.WriteBoolean("special", true);
        json.WriteEndObject();
    }

    private static void WriteConfig(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("bos_token", Begin);
        json.WriteString("eos_token", EndOfTurn);
        json.WriteString("pad_token", Padding);
        json.WriteString("chat_template", ChatTemplate);
        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteNumber("model_max_length", 131072);
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteEndObject();
    }
}
