using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Llama3Perf.Inference.Tokenization;
using Tokenizers.DotNet;

namespace Llama3Perf.Inference.Tests.Tokenization;

/// <summary>
/// The tokenizers library reads a form of ours of each file: nothing around texts, no special tokens. On the file as it is, it gives
/// the same ids with the frame around them.
/// </summary>
public sealed class TokenizerFormTests
{
    private const string Unigram = """
        {"type": "Unigram", "unk_id": 0, "byte_fallback": false,
         "vocab": [["<unk>", 0.0], ["▁", -2.0], ["a", -3.0], ["▁a", -3.5], ["b", -4.0], ["ab", -4.5], ["▁ab", -5.0], ["1", -6.0], ["é", -6.5], ["漢", -7.0], ["ll", -7.5], ["▁OpenVINO", -8.0]]}
        """;

    private const string Words = """
        {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##a": 4, "b": 5, "##b": 6, "ab": 7, "12": 8, "open": 9, "##vino": 10, "漢": 11, "'": 12, "ll": 13, "e": 14}
        """;

    // What text, marks and bytes can hold, hard to cut and to fold.
    private static readonly Gen<string> s_texts = Gen.OneOf(
        Gen.Int[0, 0x10FFFF]
            .Where(Rune.IsValid)
            .Array[0, 30]
            .Select(runes => string.Concat(runes.Select(rune => new Rune(rune).ToString()))),
        Gen.OneOf(
                "a",
                "b",
                "ab",
                "  ",
                " ",
                "\n",
                "\r\n",
                "\t",
                "<s>",
                "</s>",
                "<s",
                "<x>",
                " <x> ",
                "'ll",
                "'LL",
                "12",
                "1234567",
                "é",
                "e\u0301",
                "漢",
                "字",
                "\u0301",
                "\0",
                "𝐀",
                "🦙",
                "👩‍💻",
                "OpenVINO",
                "\u00A0",
                "\u2028",
                "\u200B",
                "▁",
                "ﬁ",
                "Å",
                "İ",
                "ß",
                "_",
                "!",
                "한국어",
                "\uFFFD",
                "\u017F",
                "[CLS]",
                ".."
            )
            .Array[0, 30]
            .Select(string.Concat)
    );

    public static TheoryData<string> Forms =>
        [
            "llama3",
            "gpt2",
            "digits",
            "deepseek",
            "viking",
            "qwen2-nfc",
            "nfkc-lowercase",
            "llama2-prepend",
            "llama2-metaspace",
            "unigram",
            "wordpiece",
            "wordlevel",
        ];

    [Theory]
    [MemberData(nameof(Forms))]
    public void The_form_that_the_library_is_given_has_the_files_own_ids(string form)
    {
        string json = File(form).ToJsonString();
        int seen = TokenizerFiles.Use(
            json,
            null,
            folder =>
            {
                using Tokenizer original = new(Path.Combine(folder, "tokenizer.json"));
                var ours = ModelTokenizer.Open(folder);
                HashSet<int> seen = [];
                s_texts.Sample(
                    text =>
                    {
                        int[] ids = [.. ours.Frame.Around(ours.Encode(text))];
                        Assert.Equal(original.Encode(text).Select(id => (int)id), ids);
                        lock (seen)
                        {
                            seen.UnionWith(ids);
                        }
                    },
                    iter: 3000
                );
                return seen.Count;
            }
        );

        // They were not all unknown.
        Assert.InRange(seen, 10, int.MaxValue);
    }

    private static JsonObject File(string form)
    {
        JsonObject file = TokenizerFiles.Create("a b", "ab a", "l l", "' ll", "O p", "Op e", "Ope n", "1 2", "12 3");
        file["added_tokens"] = new JsonArray(
            TokenizerFiles.Added("<s>", 300),
            TokenizerFiles.Added("</s>", 301),
            TokenizerFiles.Added("<x>", 400, "lstrip"),
            TokenizerFiles.Added("漢", 401, "single_word", normalized: true)
        );
        file["post_processor"] = Node(
            """
            {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true},
             {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
              "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
              "special_tokens": {"<s>": {"id": "<s>", "ids": [300], "tokens": ["<s>"]}, "</s>": {"id": "</s>", "ids": [301], "tokens": ["</s>"]}}}]}
            """
        );
        file["decoder"] = Node("""{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}""");
        return form switch
        {
            "llama3" => file,
            "gpt2" => With(
                file,
                ("pre_tokenizer", """{"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}""")
            ),
            "digits" => With(
                file,
                ("pre_tokenizer", Steps("""{"type": "Digits", "individual_digits": true}""", ByteLevel(useRegex: true)))
            ),
            "deepseek" => With(
                file,
                (
                    "pre_tokenizer",
                    Steps(
                        Split("[\\r\\n]"),
                        Split("\\s?\\p{L}+"),
                        Split("\\s?\\p{P}+"),
                        Split("[一-龥ࠀ-一가-퟿]+"),
                        """{"type": "Digits", "individual_digits": true}""",
                        ByteLevel(useRegex: false)
                    )
                )
            ),
            "viking" => With(file, ("pre_tokenizer", Steps(Split(" ?[^(\\s|[.,!?…。，、।۔،])]+"), ByteLevel(useRegex: false)))),
            "qwen2-nfc" => With(file, ("normalizer", """{"type": "NFC"}""")),
            "nfkc-lowercase" => With(
                file,
                (
                    "normalizer",
                    """{"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"}]}"""
                )
            ),
            "llama2-prepend" => SentencePiece(
                With(
                    file,
                    ("pre_tokenizer", "null"),
                    (
                        "normalizer",
                        """{"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}"""
                    )
                )
            ),
            "llama2-metaspace" => SentencePiece(With(file, ("pre_tokenizer", Metaspace))),
            "unigram" => With(
                file,
                ("model", Unigram),
                ("pre_tokenizer", Metaspace),
                (
                    "normalizer",
                    """{"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]}"""
                )
            ),
            "wordpiece" => Bert(
                file,
                $$"""{"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {{Words}}}""",
                "BertProcessing"
            ),
            _ => Bert(file, $$"""{"type": "WordLevel", "unk_token": "[UNK]", "vocab": {{Words}}}""", "RobertaProcessing"),
        };
    }

    private const string Metaspace = """{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false}""";

    private static JsonNode? Node(string json) => JsonNode.Parse(json);

    private static JsonObject With(JsonObject file, params ReadOnlySpan<(string Name, string Json)> members)
    {
        foreach ((string name, string json) in members)
        {
            file[name] = Node(json);
        }

        return file;
    }

    // Characters are tokens, and bytes stand in for those that are none.
    private static JsonObject SentencePiece(JsonObject file)
    {
        JsonObject vocabulary = [];
        foreach (
            string token in (string[])
                [
                    "<unk>",
                    "<s>",
                    "</s>",
                    .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"),
                    "▁",
                    "a",
                    "b",
                    "l",
                    "1",
                    "O",
                    "p",
                    "é",
                    "▁a",
                    "▁ab",
                    "ll",
                    "▁▁",
                    "Op",
                ]
        )
        {
            vocabulary.Add(token, vocabulary.Count);
        }

        file["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["unk_token"] = "<unk>",
            ["fuse_unk"] = true,
            ["byte_fallback"] = true,
            ["vocab"] = vocabulary,
            ["merges"] = new JsonArray("▁ a", "▁a b", "l l", "▁ ▁", "O p"),
        };
        return file;
    }

    private static JsonObject Bert(JsonObject file, string model, string processor) =>
        With(
            file,
            ("model", model),
            (
                "normalizer",
                """{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}"""
            ),
            ("pre_tokenizer", """{"type": "BertPreTokenizer"}"""),
            (
                "post_processor",
                $$"""{"type": "{{processor}}", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1], "trim_offsets": true, "add_prefix_space": true}"""
            )
        );

    private static string Steps(params string[] steps) => $$"""{"type": "Sequence", "pretokenizers": [{{string.Join(", ", steps)}}]}""";

    private static string Split(string pattern) =>
        $$"""{"type": "Split", "pattern": {"Regex": {{JsonValue.Create(pattern).ToJsonString()}}}, "behavior": "Isolated", "invert": false}""";

    private static string ByteLevel(bool useRegex) =>
        $$"""{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": {{(useRegex ? "true" : "false")}}}""";
}
