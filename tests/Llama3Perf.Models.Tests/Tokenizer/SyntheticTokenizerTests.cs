using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Llama3Perf.Models.Tokenizer;

namespace Llama3Perf.Models.Tests.Tokenizer;

public sealed class SyntheticTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-tokenizer").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(1000)]
    [InlineData(4096)]
    [InlineData(128256)]
    public void Fills_the_vocabulary_without_a_gap(int size)
    {
        JsonNode root = Write(size, out SpecialTokens ids);
        Dictionary<string, int> vocabulary = Vocabulary(root);
        JsonArray added = root["added_tokens"]!.AsArray();
        var all = vocabulary.Values.Concat(added.Select(t => (int)t!["id"]!));

        Assert.Equal(Enumerable.Range(0, size), all.Order());
        Assert.Equal(Llama3Tokens.Special, added.Select(t => (string)t!["content"]!));
        Assert.Equal(size - 256, ids.BosTokenId);
    }

    [Theory]
    [InlineData(600)]
    [InlineData(128256)]
    public void Every_merge_joins_known_tokens_into_one(int size)
    {
        JsonNode root = Write(size, out _);
        Dictionary<string, int> vocabulary = Vocabulary(root);
        Assert.All(
            Merges(root),
            merge =>
            {
                string[] parts = merge.Split(' ');
                Assert.Equal(2, parts.Length);
                Assert.All((string[])[.. parts, parts[0] + parts[1]], token => Assert.Contains(token, vocabulary));
            }
        );
    }

    [Fact]
    public void At_full_size_the_special_ids_are_those_of_Llama_3_1()
    {
        JsonNode root = Write(128256, out SpecialTokens ids);
        Dictionary<string, int> special = root["added_tokens"]!.AsArray().ToDictionary(t => (string)t!["content"]!, t => (int)t!["id"]!);

        Assert.Equal(128000, ids.BosTokenId);
        Assert.Equal([128001, 128008, 128009], ids.EosTokenIds);
        Assert.Equal(128004, ids.PadTokenId);
        Assert.Equal(128006, special["<|start_header_id|>"]);
        Assert.Equal(128007, special["<|end_header_id|>"]);
        Assert.Equal(128010, special["<|python_tag|>"]);
        Assert.Equal(128011, special["<|reserved_special_token_3|>"]);
        Assert.Equal(128255, special["<|reserved_special_token_247|>"]);
    }

    [Fact]
    public void A_larger_vocabulary_extends_a_smaller_one()
    {
        string[] small = Merges(Write(1024, out _));
        string[] large = Merges(Write(8192, out _));
        Assert.Equal(small, large[..small.Length]);
    }

    [Fact]
    public void No_text_becomes_a_filler()
    {
        JsonNode root = Write(128256, out _);
        HashSet<string> reachable = [.. ByteAlphabet.Characters.Select(c => c.ToString()), .. Merges(root).Select(m => m.Replace(" ", ""))];
        Regex pieces = new(Llama3Tokens.PreTokenizerPattern, RegexOptions.None, TimeSpan.FromSeconds(5));
        string[] fillers = [.. Vocabulary(root).Keys.Where(t => !reachable.Contains(t))];

        Assert.NotEmpty(fillers);
        Assert.All(fillers, filler => Assert.True(pieces.Count(filler.Replace('Ġ', ' ')) > 1, filler));
    }

    [Fact]
    public void Common_words_are_one_token()
    {
        Dictionary<string, int> vocabulary = Vocabulary(Write(16384, out _));
        Assert.All(["Ġthe", "The", "Ġis", "Open", "Ġmeasured", "assistant", "Ġtokens", "12", "345"], t => Assert.Contains(t, vocabulary));
    }

    [Fact]
    public void Equal_sizes_give_equal_bytes()
    {
        Write(3000, out _);
        byte[][] first = [.. Directory.GetFiles(_folder).Order().Select(File.ReadAllBytes)];
        Write(3000, out _);
        Assert.Equal(first, Directory.GetFiles(_folder).Order().Select(File.ReadAllBytes));
    }

    [Fact]
    public void A_vocabulary_that_is_too_small_is_named()
    {
        ModelException error = Assert.Throws<ModelException>(() => SyntheticTokenizer.Write(_folder, 511));
        Assert.Contains("511", error.Message);
        Assert.Contains("512", error.Message);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Word_lists_hold_plain_lower_case_words()
    {
        foreach (string list in (string[])[CommonWords.English, CommonWords.Technical])
        {
            Assert.All(
                list.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries),
                word => Assert.Matches("^[a-z]+$", word)
            );
        }
    }

    private JsonNode Write(int size, out SpecialTokens ids)
    {
        ids = SyntheticTokenizer.Write(_folder, size);
        return JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "tokenizer.json")))!;
    }

    private static Dictionary<string, int> Vocabulary(JsonNode root) =>
        root["model"]!["vocab"]!.AsObject().ToDictionary(p => p.Key, p => (int)p.Value!, StringComparer.Ordinal);

    private static string[] Merges(JsonNode root) => [.. root["model"]!["merges"]!.AsArray().Select(m => (string)m!)];
}
