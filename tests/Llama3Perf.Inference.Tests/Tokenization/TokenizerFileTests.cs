using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Inference.Tests.Tokenization;

public sealed class TokenizerFileTests
{
    [Fact]
    public void Merges_are_read_in_both_forms()
    {
        JsonObject pairs = TokenizerFiles.Create("a b", "ab c");
        JsonObject strings = TokenizerFiles.Create("a b", "ab c");
        strings["model"]!["merges"] = new JsonArray("a b", "ab c");

        Assert.Equal([257, 256], Open(pairs).Encode("abcab"));
        Assert.Equal([257, 256], Open(strings).Encode("abcab"));
    }

    [Fact]
    public void A_piece_that_is_a_token_is_taken_whole_only_when_merges_are_ignored()
    {
        // "abc" is a token that no merge of its parts leads to: b and c go together first.
        JsonObject file = TokenizerFiles.Create("b c", "a b", "ab c");
        Assert.Equal(['a', 256], Open(file).Encode("abc"));

        file["model"]!["ignore_merges"] = true;
        Assert.Equal([258], Open(file).Encode("abc"));
    }

    [Fact]
    public void Byte_level_alone_brings_its_own_pattern_and_prefix()
    {
        JsonObject file = TokenizerFiles.Create("a 1", "1 2");
        file["pre_tokenizer"] = new JsonObject
        {
            ["type"] = "ByteLevel",
            ["add_prefix_space"] = true,
            ["trim_offsets"] = true,
        };

        Assert.Equal([' ', 'a', 257], Open(file).Encode("a12"));
        Assert.Equal([' ', 'a'], Open(file).Encode(" a"));
        Assert.Empty(Open(file).Encode(""));
    }

    [Fact]
    public void Added_tokens_are_found_leftmost_and_longest()
    {
        // One whose text is in the vocabulary keeps that id, the others take the next free ones.
        Assert.Equal(
            [256, 'c'],
            Encode("abc", TokenizerFiles.Added("a", 300), TokenizerFiles.Added("ab", 301), TokenizerFiles.Added("bc", 302))
        );
        Assert.Equal(
            [257, 'a'],
            Encode("bca", TokenizerFiles.Added("a", 300), TokenizerFiles.Added("ab", 301), TokenizerFiles.Added("bc", 302))
        );
        Assert.Equal([256, 'x', 256], Encode("🦙x🦙", TokenizerFiles.Added("🦙", 256)));
        Assert.Equal(['a', 257], Encode("abc", TokenizerFiles.Added("ab", 256, normalized: true), TokenizerFiles.Added("bc", 257)));
    }

    [Fact]
    public void Added_tokens_take_white_space_and_mind_words()
    {
        Assert.Equal(['a', 256, ' ', 'b'], Encode("a \u2028\n<x> b", TokenizerFiles.Added("<x>", 256, "lstrip")));
        Assert.Equal(['a', ' ', 256, 'b'], Encode("a <x> \u00A0b", TokenizerFiles.Added("<x>", 256, "rstrip")));
        Assert.Equal(
            [256, 257],
            Encode("<x>  <y>", TokenizerFiles.Added("<x>", 256, "rstrip"), TokenizerFiles.Added("<y>", 257, "lstrip"))
        );
        Assert.Equal([256, '.', 'a', 'x', 'y', ' ', 256], Encode("xy.axy xy", TokenizerFiles.Added("xy", 256, "single_word")));
        Assert.Equal(
            [.. Encoding.UTF8.GetBytes("xy𝒜").Select(value => (int)value)],
            Encode("xy𝒜", TokenizerFiles.Added("xy", 256, "single_word"))
        );
    }

    [Fact]
    public void A_lone_surrogate_is_the_replacement_character()
    {
        ModelTokenizer tokenizer = Open(TokenizerFiles.Create());
        Assert.Equal([0xEF, 0xBF, 0xBD, 'a', 0xEF, 0xBF, 0xBD], tokenizer.Encode("\uD835a\uDC9C"));
        Assert.Equal(Encoding.UTF8.GetBytes("𝒜").Select(value => (int)value), tokenizer.Encode("𝒜"));
    }

    [Fact]
    public void A_byte_outside_the_vocabulary_is_the_unknown_token_or_left_out()
    {
        JsonObject file = TokenizerFiles.Create();
        file["model"]!["vocab"]!.AsObject().Remove("z");
        Assert.Equal(['a', 'b'], Open(file).Encode("azzb"));

        file["model"]!["unk_token"] = "!";
        Assert.Equal(['a', '!', '!', 'b'], Open(file).Encode("azzb"));

        file["model"]!["fuse_unk"] = true;
        Assert.Equal(['a', '!', 'b'], Open(file).Encode("azzb"));
    }

    [Theory]
    [InlineData("{}", "'model' is missing")]
    [InlineData("[1", "is no tokenizer.json that can be read")]
    [InlineData("[]", "is no JSON object")]
    [InlineData("""{"model":{"type":"a\nb"}}""", "is no tokenizer.json that can be read")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "Token `b` out of vocabulary")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a"]}}""", "Merges text file invalid")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "is no tokenizer.json that can be read")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[],"dropout":0.1}}""", "other ids each time (dropout)")]
    [InlineData("""{"model":{},"decoder":{"type":"ByteLevel","trim_offsets":1e999}}""", "holds the number 1e999, which is out of range")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1E400}}}""", "holds the number -1E400, which is out of range")]
    [InlineData(
        """{"model":{"type":"BPE","vocab":{},"merges":[["a","b"]],"continuing_subword_prefix":"##"}}""",
        "lacks the continuing_subword_prefix '##'"
    )]
    [InlineData(
        """{"model":{},"decoder":{"type":"Sequence","decoders":[{"type":"Strip","content":" ","start":0,"stop":1}]}}""",
        "strips the end of tokens"
    )]
    [InlineData("""{"model":{},"normalizer":{"type":"Replace","pattern":{"Regex":"x*"},"content":""}}""", "matches where there is nothing")]
    [InlineData("""{"model":{},"normalizer":{"type":"Precompiled"}}""", "Precompiled normalizer without its table")]
    [InlineData("""{"model":{},"pre_tokenizer":{"type":"FixedLength","length":0}}""", "pieces of length 0")]
    [InlineData("""{"model":{},"post_processor":{"type":"Other"}}""", "has a Other post-processor")]
    [InlineData(
        """{"model":{},"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{}}}""",
        "'<s>' is missing"
    )]
    [InlineData(
        """{"model":{},"post_processor":{"type":"TemplateProcessing","single":[],"special_tokens":{}}}""",
        "does not hold the text exactly once"
    )]
    public void What_is_not_read_is_one_line(string json, string reason)
    {
        EngineException error = Assert.Throws<EngineException>(() => TokenizerFiles.Open(json));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(error.Message, error.Message.ReplaceLineEndings(""));
    }

    [Fact]
    public void A_pattern_that_the_library_does_not_read_is_one_line()
    {
        JsonObject file = TokenizerFiles.Create();
        file["pre_tokenizer"] = TokenizerFiles.PreTokenizer(@"\p{Han}+|(");
        Assert.Contains(
            "end pattern with unmatched parenthesis",
            Assert.Throws<EngineException>(() => Open(file)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_stands_around_a_text_is_the_post_processors_unless_the_settings_say()
    {
        JsonObject file = TokenizerFiles.Create();
        file["added_tokens"] = new JsonArray(TokenizerFiles.Added("<s>", 256), TokenizerFiles.Added("</s>", 257));
        string Frame(string settings)
        {
            TokenFrame frame = TokenizerFiles.Open(file, JsonNode.Parse(settings)).Frame;
            return $"{string.Join(' ', frame.Before)}|{string.Join(' ', frame.After)}";
        }

        const string Names = """ "bos_token": {"content": "<s>"}, "eos_token": "</s>" """;
        Assert.Equal("|", Frame($"{{{Names}}}"));
        Assert.Equal("256|", Frame($"{{{Names}, \"add_bos_token\": true}}"));
        Assert.Equal("|257", Frame($"{{{Names}, \"add_eos_token\": true}}"));

        file["post_processor"] = JsonNode.Parse(
            """
            {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
             "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
             "special_tokens": {"<s>": {"id": "<s>", "ids": [256], "tokens": ["<s>"]}, "x": {"id": "x", "ids": [7, 8], "tokens": ["a", "b"]}, "</s>": {"id": "</s>", "ids": [257], "tokens": ["</s>"]}}}]}
            """
        );
        Assert.Equal("256 7 8|257", Frame("{}"));
        Assert.Equal("256|", Frame($"{{{Names}, \"add_bos_token\": true}}"));
        Assert.Equal("|", Frame($"{{{Names}, \"add_bos_token\": false}}"));
        Assert.Contains(
            "'<b>'",
            Assert.Throws<EngineException>(() => Frame("""{"bos_token": "<b>", "add_bos_token": true}""")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_broken_file_opens_or_is_one_line()
    {
        JsonObject file = TokenizerFiles.Create("a b", "ab c");
        file["added_tokens"] = new JsonArray(TokenizerFiles.Added("<x>", 300), TokenizerFiles.Added("<y>", 301));
        string whole = file.ToJsonString();
        string tail = whole[..400] + whole[(whole.Length - 400)..];
        string[] parts = ["null", "{}", "[]", "-1", "1e99", "\"\"", "\"(\"", "\"\\ud800\"", "true", "\n", "[[[[", "}", ",", "\0"];
        Gen.Select(Gen.OneOf(whole, tail), Gen.Int[0, 1_000_000], Gen.Int[0, 30], Gen.OneOf(parts))
            .Sample(
                (text, place, cut, part) =>
                {
                    int start = place % text.Length;
                    Opens(string.Concat(text.AsSpan(0, start), part, text.AsSpan(Math.Min(text.Length, start + cut))));
                },
                iter: 400,
                seed: "0N0XIzNsQ0O2"
            );
    }

    [Fact]
    public void A_member_of_another_kind_opens_or_is_one_line()
    {
        foreach (
            string value in (string[])
                ["null", "{}", "-1", "1e99", "\"\"", "\"(\"", "\"\\ud800\"", "[null]", "{\"type\":null}", "{\"type\":\"Sequence\"}"]
        )
        {
            JsonObject file = TokenizerFiles.Create("a b");
            file["added_tokens"] = new JsonArray(TokenizerFiles.Added("<x>", 300));
            Assert.All(Members(file), member => Opens(Replace(file, member, value)));
        }
    }

    private static string Replace(JsonObject file, string[] path, string value)
    {
        JsonNode copy = file.DeepClone();
        JsonNode parent = path[..^1]
            .Aggregate(copy, (node, name) => node is JsonArray array ? array[int.Parse(name, CultureInfo.InvariantCulture)]! : node[name]!);
        if (parent is JsonArray list)
        {
            list[int.Parse(path[^1], CultureInfo.InvariantCulture)] = "@replaced@";
        }
        else
        {
            parent[path[^1]] = "@replaced@";
        }

        return copy.ToJsonString().Replace("\"@replaced@\"", value, StringComparison.Ordinal);
    }

    // Every place but all the bytes of the vocabulary.
    private static IEnumerable<string[]> Members(JsonNode node, params string[] path)
    {
        IEnumerable<(string Name, JsonNode? Value)> children = node switch
        {
            JsonObject members => members.Select(member => (member.Key, member.Value)),
            JsonArray items => items.Select((item, index) => (index.ToString(CultureInfo.InvariantCulture), item)),
            _ => [],
        };
        return children.Take(12).SelectMany(child => Members(child.Value ?? 0, [.. path, child.Name]).Prepend([.. path, child.Name]));
    }

    private static void Opens(string json)
    {
        try
        {
            _ = TokenizerFiles.Open(json).Encode("ab <x> 𝒜");
        }
        catch (EngineException exception)
        {
            Assert.Equal(exception.Message, exception.Message.ReplaceLineEndings(""));
        }
    }

    private static ModelTokenizer Open(JsonObject file) => TokenizerFiles.Open(file);

    private static IReadOnlyList<int> Encode(string text, params JsonObject[] added)
    {
        JsonObject file = TokenizerFiles.Create();
        file["added_tokens"] = new JsonArray([.. added]);
        return Open(file).Encode(text);
    }

    [Theory]
    [InlineData("0", null)]
    [InlineData("0.0", null)]
    [InlineData("null", null)]
    [InlineData("0.1", "other ids each time (dropout)")]
    [InlineData("\"0\"", "other ids each time (dropout)")]
    public void A_dropout_of_nothing_is_none(string dropout, string? reason) =>
        AssertOpens($$$"""{"model":{"type":"BPE","vocab":{"a":0},"merges":[],"dropout":{{{dropout}}}}}""", reason);

    [Theory]
    [InlineData("[[\"a\",\"##b\"]]", null)]
    [InlineData("[\"a ##b\"]", null)]
    [InlineData("[\"a b\"]", "lacks the continuing_subword_prefix '##'")]
    [InlineData("[[\"a\",5]]", "lacks the continuing_subword_prefix '##'")]
    [InlineData("[[\"a\",\"##b\",\"c\"]]", "lacks the continuing_subword_prefix '##'")]
    [InlineData("[5]", "lacks the continuing_subword_prefix '##'")]
    public void Merges_go_on_with_their_prefix(string merges, string? reason) =>
        AssertOpens(
            $$$"""{"model":{"type":"BPE","vocab":{"a":0,"##b":1,"ab":2},"merges":{{{merges}}},"continuing_subword_prefix":"##"}}""",
            reason
        );

    [Fact]
    public void A_pattern_that_only_the_library_reads_is_left_to_it()
    {
        JsonObject file = TokenizerFiles.Create();
        file["normalizer"] = JsonNode.Parse("""{"type":"Replace","pattern":{"Regex":"\\p{Han}+"},"content":"x"}""");
        Assert.Equal(['a', 'x', 'b'], Open(file).Encode("a漢字b"));
    }

    [Fact]
    public void An_added_token_that_is_no_object_is_one_line()
    {
        JsonObject file = TokenizerFiles.Create();
        file["added_tokens"] = new JsonArray(5);
        AssertOpens(file.ToJsonString(), "an added token is no object");
    }

    [Theory]
    [InlineData("BertProcessing", "[\"a\",0]", null)]
    [InlineData("RobertaProcessing", "[\"a\",0]", null)]
    [InlineData("BertProcessing", "[\"a\",0,1]", "'sep' is no pair of a token and its id")]
    [InlineData("BertProcessing", "[\"a\"]", "'sep' is no pair of a token and its id")]
    [InlineData("BertProcessing", "[\"a\",-1]", "-1 is no token id")]
    public void What_stands_around_a_text_may_be_pairs(string type, string separator, string? reason)
    {
        JsonObject file = TokenizerFiles.Create();
        file["post_processor"] = JsonNode.Parse($$$"""{"type":"{{{type}}}","cls":["b",1],"sep":{{{separator}}}}""");
        AssertOpens(file.ToJsonString(), reason);
        if (reason is null)
        {
            Assert.Equal([1, 5, 0], Open(file).Frame.Around([5]));
        }
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"add_bos_token\": 1}")]
    [InlineData("{\"add_bos_token\": true, \"bos_token\": 5}")]
    [InlineData("")]
    public void Broken_settings_are_one_line_with_their_name(string settings)
    {
        string message = Assert
            .Throws<EngineException>(() => TokenizerFiles.Open(TokenizerFiles.Create().ToJsonString(), settings))
            .Message;
        Assert.Contains("tokenizer_config.json cannot be read: ", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_text_that_has_no_tokens_is_one_line()
    {
        ModelTokenizer words = TokenizerFiles.Open("""{"model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"[UNK]"}}""");
        Assert.Equal([0], words.Encode("a"));
        Assert.StartsWith(
            "the tokenizer cannot encode this prompt: ",
            Assert.Throws<EngineException>(() => words.Encode("b")).Message,
            StringComparison.Ordinal
        );
    }

    private static void AssertOpens(string json, string? reason)
    {
        if (reason is null)
        {
            Assert.NotNull(TokenizerFiles.Open(json));
            return;
        }

        Assert.Contains(reason, Assert.Throws<EngineException>(() => TokenizerFiles.Open(json)).Message, StringComparison.Ordinal);
    }
}
