using System.Text.Json.Nodes;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Inference.Tests.Tokenization;

/// <summary>
/// Forms of tokenizers that other projects publish, each cut down to what its texts need (tokenizer-cases.json), with the ids that
/// transformers gives. Tokens that were cut out are put back under names that no text has: added tokens take their ids from the count.
/// </summary>
public sealed class TokenizerCaseTests(ModelTokenizerTests.TinyModel tiny) : IClassFixture<ModelTokenizerTests.TinyModel>
{
    private static readonly JsonNode[] s_cases =
    [
        .. JsonNode
            .Parse(
                File.ReadAllText(Path.Combine(Fixtures.Root, "tests", "Llama3Perf.Inference.Tests", "Tokenization", "tokenizer-cases.json"))
            )!
            .AsArray()
            .Select(item => item!),
    ];

    public static TheoryData<string> Names => [.. s_cases.Select(item => (string)item["name"]!)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Prompts_are_those_of_transformers(string name)
    {
        JsonNode item = Case(name);
        Assert.All(item["texts"]!.AsArray(), text => Assert.Equal(Ids(text!), Tokenize(item, (string)text!["text"]!).TokenIds));
    }

    [Fact]
    public void What_the_configuration_calls_bos_does_not_matter()
    {
        Assert.NotEqual(1, Tokenize(Case("bos-not-added-im-start"), "OpenVINO is").TokenIds[0]);
        Assert.Equal(3, Tokenize(Case("bos-other-than-tokenizers"), "OpenVINO is").TokenIds[0]);
        Assert.Equal(3, Tokenize(Case("bos-other-than-tokenizers"), "OpenVINO is", bos: null).TokenIds[0]);
    }

    [Theory]
    [InlineData("chat-marks-missing-hermes", "<|start_header_id|>, <|end_header_id|>, <|eot_id|>")]
    [InlineData("llama3-template-without-its-marks", "<|begin_of_text|>, <|start_header_id|>, <|end_header_id|>, <|eot_id|>")]
    public void A_chat_template_whose_marks_the_tokenizer_lacks_is_refused(string name, string marks)
    {
        EngineException error = Assert.Throws<EngineException>(() => Tokenize(Case(name), "OpenVINO is", template: "llama3"));
        Assert.Contains($"writes {marks}, which", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_outside_the_vocabulary_is_refused()
    {
        EngineException error = Assert.Throws<EngineException>(() => Tokenize(Case("token-outside-vocabulary-512"), "a <extra0> b"));
        Assert.Contains("the token 512 at place", error.Message, StringComparison.Ordinal);
        Assert.Contains("vocabulary ends at 511", error.Message, StringComparison.Ordinal);
    }

    private static JsonNode Case(string name) => s_cases.Single(item => (string)item["name"]! == name);

    private static int[] Ids(JsonNode text) => [.. text["ids"]!.AsArray().Select(id => (int)id!)];

    private TokenizedPrompt Tokenize(JsonNode item, string text, string template = "none") =>
        Tokenize(item, text, (int?)item["bos"], template);

    private TokenizedPrompt Tokenize(JsonNode item, string text, int? bos, string template = "none")
    {
        JsonNode file = item["tokenizer"]!.DeepClone();
        JsonObject vocabulary = file["model"]!["vocab"]!.AsObject();
        foreach (int id in Enumerable.Range(0, (int)item["vocabulary"]!).Except(vocabulary.Select(token => (int)token.Value!)).ToList())
        {
            vocabulary.Add($"\u0001{id}", id);
        }

        int size = (string)item["name"]! == "token-outside-vocabulary-512" ? 512 : 2000;
        return TokenizerFiles.Use(
            file.ToJsonString(),
            item["settings"]!.ToJsonString(),
            folder =>
                PromptTokenizer
                    .For(tiny.Folder with { Path = folder, BosTokenId = bos, VocabularySize = size })
                    .Tokenize(Prompt.OfText(text), new PromptForm(ChatTemplate.Get(template), AddBos: false))
        );
    }
}
