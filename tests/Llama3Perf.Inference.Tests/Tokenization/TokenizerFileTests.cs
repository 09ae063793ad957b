using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Inference.Tests.Tokenization;

public sealed class TokenizerFileTests(ModelTokenizerTests.TinyModel tiny) : IClassFixture<ModelTokenizerTests.TinyModel>
{
    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void A_checkpoints_own_file_agrees_with_the_reference_implementation(string fixture)
    {
        string json = File.ReadAllText(Fixtures.Shared(fixture, "hf", "tokenizer.json"));
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Fixtures.Shared(fixture, "reference.json")));
        ModelTokenizer tokenizer = TokenizerFiles.Open(json, tiny.Folder);
        foreach (JsonElement expected in reference.RootElement.GetProperty("cases").EnumerateArray())
        {
            string prompt = expected.GetProperty("prompt").GetString()!;
            int[] ids = Ids(expected, "input_ids");
            Assert.Equal(ids, tokenizer.Encode("<|begin_of_text|>" + prompt));
            Assert.Equal(expected.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
            Assert.Equal(Ids(expected, "chat_ids"), tokenizer.Encode(ChatTemplate.Get("llama3").Apply(prompt)));
        }
    }

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
        file["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true };

        Assert.Equal([' ', 'a', 257], Open(file).Encode("a12"));
        Assert.Equal([' ', 'a'], Open(file).Encode(" a"));
        Assert.Empty(Open(file).Encode(""));
    }

    [Fact]
    public void Added_tokens_are_found_leftmost_and_longest()
    {
        Assert.Equal([301, 'c'], Encode("abc", TokenizerFiles.Added("a", 300), TokenizerFiles.Added("ab", 301), TokenizerFiles.Added("bc", 302)));
        Assert.Equal([302, 300], Encode("bca", TokenizerFiles.Added("a", 300), TokenizerFiles.Added("ab", 301), TokenizerFiles.Added("bc", 302)));
        Assert.Equal([300, 'x', 300], Encode("🦙x🦙", TokenizerFiles.Added("🦙", 300)));
        Assert.Equal(['a', 300], Encode("abc", TokenizerFiles.Added("ab", 301, normalized: true), TokenizerFiles.Added("bc", 300)));
    }

    [Fact]
    public void Added_tokens_take_white_space_and_mind_words()
    {
        Assert.Equal(['a', 300, ' ', 'b'], Encode("a \u2028\n<x> b", TokenizerFiles.Added("<x>", 300, "lstrip")));
        Assert.Equal(['a', ' ', 300, 'b'], Encode("a <x> \u00A0b", TokenizerFiles.Added("<x>", 300, "rstrip")));
        Assert.Equal([300, 301], Encode("<x>  <y>", TokenizerFiles.Added("<x>", 300, "rstrip"), TokenizerFiles.Added("<y>", 301, "lstrip")));
        Assert.Equal([300, '.', 'a', 'x', ' ', 300], Encode("x.ax x", TokenizerFiles.Added("x", 300, "single_word")));
        Assert.Equal([.. Encoding.UTF8.GetBytes("x𝒜").Select(value => (int)value)], Encode("x𝒜", TokenizerFiles.Added("x", 300, "single_word")));
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
    [InlineData("""{"model":{"type":"BPE","byte_fallback":true,"vocab":{},"merges":[]}}""", "SentencePiece-style BPE tokenizer (byte_fallback), as Llama 2 has")]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{}}}""", "is a WordPiece tokenizer")]
    [InlineData("""{"model":{"type":"Unigram","vocab":[]}}""", "is a Unigram tokenizer")]
    [InlineData("""{"model":{"type":"a\nb"}}""", "is a a b tokenizer")]
    [InlineData("""{"model":{"vocab":{},"merges":[]},"pre_tokenizer":{"type":"Metaspace"}}""", "SentencePiece-style tokenizer (Metaspace)")]
    [InlineData("""{"model":{"vocab":{},"merges":[]}}""", "it has no pre_tokenizer")]
    [InlineData("""{"model":{"vocab":{},"merges":[]},"normalizer":{"type":"NFC"}}""", "has a NFC normalizer")]
    [InlineData("""{"model":{"vocab":{},"merges":[],"dropout":0.1}}""", "with dropout")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":["a b"]}}""", "the token 'b', which the vocabulary lacks")]
    [InlineData("""{"model":{"vocab":{"a":0},"merges":["a"]}}""", "no pair of tokens")]
    [InlineData("""{"model":{"vocab":{"a":-1},"merges":[]}}""", "-1 is no token id")]
    [InlineData("""{"model":{"vocab":[],"merges":[]}}""", "'vocab' is missing or no Object")]
    public void What_is_not_read_is_one_line(string json, string reason)
    {
        EngineException error = Assert.Throws<EngineException>(() => TokenizerFiles.Open(json, tiny.Folder));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Equal(error.Message, error.Message.ReplaceLineEndings(""));
    }

    [Fact]
    public void A_pattern_that_dotnet_does_not_read_is_one_line()
    {
        JsonObject file = TokenizerFiles.Create();
        file["pre_tokenizer"] = TokenizerFiles.PreTokenizer(@"\p{Han}+|(");
        Assert.Contains("cannot be used", Assert.Throws<EngineException>(() => Open(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_file_opens_or_is_one_line()
    {
        JsonObject file = TokenizerFiles.Create("a b", "ab c");
        file["added_tokens"] = new JsonArray(TokenizerFiles.Added("<x>", 300), TokenizerFiles.Added("<y>", 301));
        string whole = file.ToJsonString();
        string tail = whole[..400] + whole[(whole.Length - 400)..];
        string[] parts = ["null", "{}", "[]", "-1", "1e99", "\"\"", "\"(\"", "\"\\ud800\"", "true", "\n", "[[[[", "}", ",", "\0"];
        Gen.Select(Gen.OneOf(whole, tail), Gen.Int[0, 1_000_000], Gen.Int[0, 30], Gen.OneOf(parts)).Sample(
            (text, place, cut, part) =>
            {
                int start = place % text.Length;
                Opens(string.Concat(text.AsSpan(0, start), part, text.AsSpan(Math.Min(text.Length, start + cut))));
            },
            iter: 1500);
    }

    [Fact]
    public void A_member_of_another_kind_opens_or_is_one_line()
    {
        foreach (string value in (string[])["null", "{}", "[]", "-1", "1e99", "\"\"", "\"(\"", "\"\\ud800\"", "true", "[null]", "[[]]", "[{}]", "{\"type\":null}", "{\"type\":\"Sequence\"}"])
        {
            JsonObject file = TokenizerFiles.Create("a b");
            file["added_tokens"] = new JsonArray(TokenizerFiles.Added("<x>", 300));
            Assert.All(Members(file), member => Opens(Replace(file, member, value)));
        }
    }

    private static string Replace(JsonObject file, string[] path, string value)
    {
        JsonNode copy = file.DeepClone();
        JsonNode parent = path[..^1].Aggregate(copy, (node, name) => node is JsonArray array ? array[int.Parse(name, CultureInfo.InvariantCulture)]! : node[name]!);
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

    private void Opens(string json)
    {
        try
        {
            _ = TokenizerFiles.Open(json, tiny.Folder).Encode("ab <x> 𝒜");
        }
        catch (EngineException exception)
        {
            Assert.Equal(exception.Message, exception.Message.ReplaceLineEndings(""));
        }
    }

    private ModelTokenizer Open(JsonObject file) => TokenizerFiles.Open(file, tiny.Folder);

    private IReadOnlyList<int> Encode(string text, params JsonObject[] added)
    {
        JsonObject file = TokenizerFiles.Create();
        file["added_tokens"] = new JsonArray([.. added]);
        return Open(file).Encode(text);
    }

    private static int[] Ids(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
}
