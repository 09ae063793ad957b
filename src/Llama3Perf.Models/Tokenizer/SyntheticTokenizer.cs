using System.Text.Encodings.Web;
using System.Text.Json;

namespace Llama3Perf.Models.Tokenizer;

/// <summary>
/// The tokenizer of a synthetic model folder: byte-level BPE in the form of Llama 3's, for any vocabulary size. Ids 0 to 255 are bytes;
/// then come the merged tokens of <see cref="CommonWords"/> and of numbers, then fillers that no text contains, last the special tokens.
/// </summary>
public static class SyntheticTokenizer
{
    /// <summary>Bytes and special tokens: no vocabulary is smaller.</summary>
    public static int MinimumVocabularySize { get; } = 256 + Llama3Tokens.Special.Count;

    private static readonly Lazy<IReadOnlyList<Merge>> s_allMerges = new(() =>
        [.. MergeTrainer.Train(TrainingPieces()), .. NumberMerges()]
    );

    private static readonly JsonSerializerOptions s_readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes tokenizer.json, tokenizer_config.json and chat_template.jinja. Equal sizes give equal bytes.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="vocabularySize">Rows of the model's embedding; the special tokens are the last 256 ids.</param>
    /// <exception cref="ModelException">The vocabulary is too small.</exception>
    public static SpecialTokens Write(string folder, int vocabularySize)
    {
        if (vocabularySize < MinimumVocabularySize)
        {
            throw new ModelException(
                $"A vocabulary of {vocabularySize} tokens is too small: bytes and special tokens need {MinimumVocabularySize}. Raise "
                    + "vocab_size in the model's config.json."
            );
        }

        int firstSpecial = vocabularySize - Llama3Tokens.Special.Count;
        WriteTokenizer(Path.Combine(folder, "tokenizer.json"), firstSpecial);
        WriteConfiguration(Path.Combine(folder, "tokenizer_config.json"));
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), Llama3Tokens.ChatTemplate);
        return new SpecialTokens(
            IdOf(Llama3Tokens.BeginOfText),
            [IdOf(Llama3Tokens.EndOfText), IdOf(Llama3Tokens.EndOfMessage), IdOf(Llama3Tokens.EndOfTurn)],
            IdOf(Llama3Tokens.FinetuneRightPad)
        );

        int IdOf(string special) => firstSpecial + Llama3Tokens.Special.TakeWhile(s => s != special).Count();
    }

    /// <summary>Ordinary tokens by id, and the merges that make them.</summary>
    private static (List<string> Tokens, List<Merge> Merges) Vocabulary(int size)
    {
        List<string> tokens = [.. ByteAlphabet.Characters.Select(c => c.ToString())];
        HashSet<string> known = new(tokens, StringComparer.Ordinal);
        List<Merge> merges = [];
        foreach (Merge merge in s_allMerges.Value)
        {
            if (!known.Contains(merge.Text))
            {
                if (tokens.Count == size)
                {
                    break;
                }

                known.Add(merge.Text);
                tokens.Add(merge.Text);
            }

            merges.Add(merge);
        }

        // No text becomes a filler: no merge makes it, and the pre-tokenizer splits its letter from its digits.
        while (tokens.Count < size)
        {
            tokens.Add($"Ġw{tokens.Count}");
        }

        return (tokens, merges);
    }

    /// <summary>Every piece of the word lists with its weight, in the byte alphabet.</summary>
    private static Dictionary<string, long> TrainingPieces()
    {
        Dictionary<string, long> pieces = new(StringComparer.Ordinal);
        AddList(CommonWords.English, 100_000_000);
        AddList(CommonWords.Technical, 50_000_000);
        for (int i = 0; i < CommonWords.Punctuation.Length; i++)
        {
            Add(CommonWords.Punctuation[i], 50_000_000 / (20 + i));
        }

        return pieces;

        void AddList(string list, long scale)
        {
            int rank = 0;
            foreach (string word in list.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
            {
                // Zipf's law: frequency falls as one over the rank.
                long weight = scale / (10 + rank++);
                string capitalized = char.ToUpperInvariant(word[0]) + word[1..];
                Add(" " + word, weight);
                Add(word, weight / 8);
                Add(" " + capitalized, weight / 8);
                Add(capitalized, weight / 8);
                Add(" " + word.ToUpperInvariant(), weight / 40);
                Add(word.ToUpperInvariant(), weight / 40);
            }
        }

        void Add(string text, long weight)
        {
            string piece = ByteAlphabet.FromText(text);
            pieces[piece] = pieces.GetValueOrDefault(piece) + weight;
        }
    }

    /// <summary>All numbers of two, then of three digits, the longest that the pre-tokenizer leaves whole.</summary>
    private static IEnumerable<Merge> NumberMerges() =>
        [
            .. Enumerable.Range(0, 100).Select(n => new Merge($"{n / 10}", $"{n % 10}")),
            .. Enumerable.Range(0, 1000).Select(n => new Merge($"{n / 10:00}", $"{n % 10}")),
        ];

    private static void WriteTokenizer(string path, int firstSpecial)
    {
        using FileStream file = File.Create(path, 1 << 16);
        using Utf8JsonWriter json = new(file, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        Write("version", "1.0");
        json.WriteNull("truncation");
        json.WriteNull("padding");
        Write(
            "added_tokens",
            Llama3Tokens.Special.Select(
                (content, i) =>
                    new
                    {
                        id = firstSpecial + i,
                        content,
                        single_word = false,
                        lstrip = false,
                        rstrip = false,
                        normalized = false,
                        special = true,
                    }
            )
        );
        json.WriteNull("normalizer");
        Write("pre_tokenizer", PreTokenizer);
        Write("post_processor", PostProcessor(bosTokenId: firstSpecial));
        Write("decoder", ByteLevel);
        WriteModel(json, firstSpecial);
        json.WriteEndObject();

        void Write<T>(string name, T value)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value);
        }
    }

    private static object ByteLevel { get; } = new
    {
        type = "ByteLevel",
        add_prefix_space = false,
        trim_offsets = true,
        use_regex = false,
    };

    private static object PreTokenizer { get; } = new
    {
        type = "Sequence",
        pretokenizers = new[]
        {
            new
            {
                type = "Split",
                pattern = new { Regex = Llama3Tokens.PreTokenizerPattern },
                behavior = "Isolated",
                invert = false,
            },
            ByteLevel,
        },
    };

    /// <summary>Prepends the beginning of text, where a tokenizer is asked for special tokens.</summary>
    private static object PostProcessor(int bosTokenId)
    {
        object bos = new { SpecialToken = new { id = Llama3Tokens.BeginOfText, type_id = 0 } };
        object first = new { Sequence = new { id = "A", type_id = 0 } };
        object second = new { Sequence = new { id = "B", type_id = 1 } };
        return new
        {
            type = "TemplateProcessing",
            single = new[] { bos, first },
            pair = new[] { bos, first, second },
            special_tokens = new Dictionary<string, object>
            {
                [Llama3Tokens.BeginOfText] = new
                {
                    id = Llama3Tokens.BeginOfText,
                    ids = new[] { bosTokenId },
                    tokens = new[] { Llama3Tokens.BeginOfText },
                },
            },
        };
    }

    private static void WriteModel(Utf8JsonWriter json, int ordinaryCount)
    {
        (List<string> tokens, List<Merge> merges) = Vocabulary(ordinaryCount);
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
        for (int id = 0; id < tokens.Count; id++)
        {
            json.WriteNumber(tokens[id], id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (Merge merge in merges)
        {
            json.WriteStringValue($"{merge.Left} {merge.Right}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteConfiguration(string path)
    {
        var configuration = new
        {
            bos_token = Llama3Tokens.BeginOfText,
            eos_token = Llama3Tokens.EndOfTurn,
            pad_token = Llama3Tokens.FinetuneRightPad,
            clean_up_tokenization_spaces = false,
            tokenizer_class = "PreTrainedTokenizerFast",
        };
        File.WriteAllText(path, JsonSerializer.Serialize(configuration, s_readable));
    }
}
