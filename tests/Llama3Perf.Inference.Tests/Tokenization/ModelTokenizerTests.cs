using System.Text;
using System.Text.Json;
using CsCheck;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Tests.Tokenization;

public sealed class ModelTokenizerTests(ModelTokenizerTests.TinyModel tiny) : IClassFixture<ModelTokenizerTests.TinyModel>
{
    // Valid UTF-16: what a command line or a file can hold.
    private static readonly Gen<string> s_texts = Gen.OneOf(
        Gen.Int[0, 0x10FFFF]
            .Where(Rune.IsValid)
            .Array[0, 40]
            .Select(runes => string.Concat(runes.Select(rune => new Rune(rune).ToString()))),
        Gen.OneOf("a", " ", "\n", "<|", "|>", "<|eot_id|>", "'ll", "12", "é", "漢", "\u0301", "\0", "𝐀", "🦙", "OpenVINO", "\t")
            .Array[0, 30]
            .Select(string.Concat)
    );

    [Theory]
    [InlineData("llama3-gqa-bf16")]
    [InlineData("llama32-tied-ropescaled-sharded")]
    public void Agrees_with_the_reference_implementation(string fixture)
    {
        ModelFolder folder = ModelFolderReader.Open(Fixtures.Shared(fixture, "official-int4-cpu"));
        var prompts = PromptTokenizer.For(folder);
        // Its author put BOS in front; the tokenizer puts none there.
        PromptForm plain = PromptForm.Plain with
        {
            AddBos = true,
        };
        using JsonDocument reference = JsonDocument.Parse(File.ReadAllText(Fixtures.Shared(fixture, "reference.json")));
        JsonElement[] cases = [.. reference.RootElement.GetProperty("cases").EnumerateArray()];

        Assert.NotEmpty(cases);
        foreach (JsonElement expected in cases)
        {
            string prompt = expected.GetProperty("prompt").GetString()!;
            int[] ids = Ids(expected, "input_ids");
            Assert.Equal(ids, prompts.Tokenize(Prompt.OfText(prompt), plain).TokenIds);
            Assert.Equal(ids[1..], prompts.Tokenize(Prompt.OfText(prompt), PromptForm.Plain).TokenIds);
            Assert.Equal(expected.GetProperty("decoded").GetString(), prompts.Tokenizer.Decode(ids));
            Assert.Equal(expected.GetProperty("chat_text").GetString(), ChatTemplate.Get("llama3").Apply(prompt));
            Assert.Equal(
                Ids(expected, "chat_ids"),
                prompts.Tokenize(Prompt.OfText(prompt), new PromptForm(ChatTemplate.Get("llama3"), AddBos: false)).TokenIds
            );
        }
    }

    [Fact]
    public void Any_text_comes_back() =>
        s_texts.Sample(text => Assert.Equal(text, tiny.Tokenizer.Decode(tiny.Tokenizer.Encode(text))), iter: 2000);

    [Fact]
    public void A_stream_says_what_the_whole_says_and_never_half_a_character() =>
        s_texts.Sample(
            text =>
            {
                StreamingDecoder stream = tiny.Tokenizer.CreateStreamingDecoder();
                List<string> parts = [.. tiny.Tokenizer.Encode(text).Select(stream.Add), stream.Finish()];
                Assert.Equal(text, string.Concat(parts));
                Assert.All(parts, part => Assert.DoesNotContain('\uFFFD', text.Contains('\uFFFD', StringComparison.Ordinal) ? "" : part));
            },
            iter: 1000
        );

    [Fact]
    public void A_stream_of_any_tokens_says_what_the_whole_says() =>
        Gen.Int[0, 300]
            .Array[0, 12]
            .Sample(
                tokens =>
                {
                    StreamingDecoder stream = tiny.Tokenizer.CreateStreamingDecoder();
                    Assert.Equal(tiny.Tokenizer.Decode(tokens), string.Concat([.. tokens.Select(stream.Add), stream.Finish()]));
                },
                iter: 3000
            );

    [Fact]
    public void Any_tokens_decode() =>
        Gen.Int[-5, 1100].Array[0, 50].Sample(tokens => tiny.Tokenizer.Decode(tokens) is not null, iter: 500);

    [Fact]
    public void Special_tokens_in_a_text_are_one_token_each()
    {
        IReadOnlyList<int> tokens = tiny.Tokenizer.Encode("<|start_header_id|>user<|end_header_id|>");

        Assert.Equal(tokens[0] + 1, tokens[^1]);
        Assert.Equal("<|start_header_id|>", tiny.Tokenizer.Decode([tokens[0]]));
    }

    [Fact]
    public void A_long_text_is_encoded_piece_by_piece()
    {
        string text = string.Concat(Enumerable.Repeat("The time to the first token is what a person waits. ", 4000));

        IReadOnlyList<int> tokens = tiny.Tokenizer.Encode(text);

        Assert.True(tokens.Count < text.Length / 2);
        Assert.Equal(text, tiny.Tokenizer.Decode(tokens));
    }

    private static int[] Ids(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];

    public sealed class TinyModel : IDisposable
    {
        private readonly string _root = Directory.CreateTempSubdirectory("l3p-tokens-").FullName;

        public TinyModel()
        {
            Folder = new ModelStore(_root).GetOrBuild(new ModelBuildOptions { Model = "llama-tiny" });
            Tokenizer = ModelTokenizer.Open(Folder.Path);
        }

        public ModelFolder Folder { get; }

        public ModelTokenizer Tokenizer { get; }

        public void Dispose() => Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void A_stream_decodes_no_more_than_what_is_not_said_yet()
    {
        int most = 0;
        StreamingDecoder stream = new(tokens =>
        {
            most = Math.Max(most, tokens.Count);
            return string.Concat(tokens.Select(token => (char)token));
        });

        Assert.Equal("abcdef", string.Concat("abcdef".Select(letter => stream.Add(letter))));
        Assert.Equal((2, ""), (most, stream.Finish()));
        Assert.Equal("x", stream.Add('x'));
        Assert.Equal("", stream.Add('\uFFFD'));
        Assert.Equal(("\uFFFD", ""), (stream.Finish(), stream.Finish()));
    }
}
