using CsCheck;
using Llama3Perf.Inference.Tokenization;

namespace Llama3Perf.Inference.Tests.Tokenization;

public sealed class PromptTests(ModelTokenizerTests.TinyModel tiny) : IClassFixture<ModelTokenizerTests.TinyModel>
{
    [Fact]
    public void Random_prompts_are_fixed_ordinary_tokens_after_bos()
    {
        TokenizedPrompt prompt = Tokenize("pp64", "llama3");

        Assert.Equal("pp64", prompt.Id);
        Assert.Equal(64, prompt.TokenIds.Length);
        Assert.Equal(tiny.Folder.BosTokenId, prompt.TokenIds[0]);
        Assert.All(prompt.TokenIds[1..], token => Assert.InRange(token, 0, tiny.Folder.BosTokenId!.Value - 1));
        Assert.True(prompt.TokenIds.Distinct().Count() > 50);
        Assert.Equal(prompt.TokenIds[..10], Tokenize("pp10", "none").TokenIds);
        Assert.Matches("^[0-9a-f]{64}$", prompt.Sha256);
        Assert.Equal(prompt.Sha256, Tokenize("pp64", "none").Sha256);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("llama3")]
    [InlineData("phi3")]
    public void Bos_comes_once(string template) =>
        Assert.Single(Tokenize("OpenVINO is", template).TokenIds, token => token == tiny.Folder.BosTokenId);

    [Fact]
    public void A_file_is_read_and_named()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "OpenVINO is");

            TokenizedPrompt prompt = Tokenize("@" + path, "none");

            Assert.Equal(Path.GetFileName(path), prompt.Id);
            Assert.Equal(Tokenize("OpenVINO is", "none").TokenIds, prompt.TokenIds);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("@/no/such/file.txt", "/no/such/file.txt")]
    [InlineData("", "the prompt is empty")]
    [InlineData("pp0", "pp0")]
    [InlineData("pp99999999", "pp99999999")]
    public void A_prompt_that_cannot_be_is_one_line(string argument, string reason)
    {
        EngineException error = Assert.Throws<EngineException>(() => Prompt.Parse(argument));

        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_long_prompt_has_a_short_name() => Assert.True(Prompt.Parse(new string('x', 500)).Id.Length <= 24);

    [Fact]
    public void A_list_comes_apart_as_it_was_joined() => Gen.OneOf(Gen.String, Gen.OneOf("a", ",", "\"", " ", "\"\"").Array[1, 6].Select(string.Concat))
        .Where(text => text.Length > 0)
        .Array[1, 5]
        .Sample(items => Assert.Equal(items, PromptList.Split(PromptList.Join(items))), iter: 3000);

    [Fact]
    public void A_quoted_prompt_keeps_its_commas() =>
        Assert.Equal(["Hello, world", "pp512", "say \"hi\""], PromptList.Split("\"Hello, world\", pp512 ,say \"hi\""));

    private TokenizedPrompt Tokenize(string prompt, string template) => Prompt.Parse(prompt).Tokenize(tiny.Tokenizer, ChatTemplate.Get(template));
}
