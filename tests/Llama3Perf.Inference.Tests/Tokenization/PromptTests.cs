using System.Numerics;
using CsCheck;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;

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
    public void Prompts_that_differ_have_different_names()
    {
        string[] texts =
        [
            "OpenVINO is",
            " OpenVINO is",
            "OpenVINO is\n",
            "Write a long story about a ship",
            "Write a long story about a train",
        ];

        Assert.Distinct(texts.Select(text => Prompt.Parse(text).Id));
        Assert.All(texts, text => Assert.InRange(Prompt.Parse(text).Id.Length, 1, 24));
    }

    [Theory]
    [InlineData("Hello, world", "Hello, world")]
    [InlineData("\"a\", b", "\"a\", b")]
    [InlineData("OpenVINO is,pp512", "OpenVINO is,pp512")]
    [InlineData("pp8, pp512", "pp8|pp512")]
    [InlineData("pp8", "pp8")]
    public void A_comma_in_a_text_is_a_comma(string option, string prompts) => Assert.Equal(prompts.Split('|'), Prompt.Arguments(option));

    [Fact]
    public void Any_text_is_one_prompt() =>
        Gen
            .String.Where(text => !text.StartsWith("pp", StringComparison.Ordinal))
            .Sample(text => Assert.Equal([text], Prompt.Arguments(text)), iter: 2000);

    [Fact]
    public void Random_prompts_need_no_tokenizer() =>
        TokenizerFiles.Use(
            "broken",
            null,
            folder =>
            {
                var prompts = PromptTokenizer.For(tiny.Folder with { Path = folder });
                Assert.Equal(Tokenize("pp64", "none").TokenIds, prompts.Tokenize(Prompt.Parse("pp64"), PromptForm.Plain).TokenIds);
                return Assert.Throws<EngineException>(() => prompts.Tokenize(Prompt.Parse("text"), PromptForm.Plain));
            }
        );

    [Theory]
    [InlineData(512, 507, 0, 506)]
    [InlineData(512, 256, 0, 255)]
    [InlineData(32000, 1, 3, 31999)]
    [InlineData(32000, null, 0, 31999)]
    public void Random_prompts_are_of_tokens_that_texts_have(int vocabulary, int? bos, int first, int last)
    {
        ModelFolder folder = tiny.Folder with
        {
            VocabularySize = vocabulary,
            BosTokenId = bos,
            EosTokenIds = bos is { } id ? [id + 1] : [],
        };
        int[] ids = PromptTokenizer.For(folder).Tokenize(Prompt.Parse("pp4096"), PromptForm.Plain).TokenIds;

        int[] drawn = bos is null ? ids : ids[1..];
        Assert.All(drawn, token => Assert.True(token == 0 || (token >= first && token <= last)));
        Assert.DoesNotContain(drawn, token => token == bos || folder.EosTokenIds.Contains(token));
        Assert.InRange(drawn.Distinct().Count(), Math.Min(drawn.Length, last - first) * 4 / 5, drawn.Length);
    }

    /// <summary>Runs of years are compared over them, so a number of tokens is the same ids for ever.</summary>
    [Fact]
    public void Random_prompts_are_the_same_for_ever()
    {
        ModelFolder folder = tiny.Folder with { VocabularySize = 1000, BosTokenId = null, EosTokenIds = [] };
        Assert.Equal(Knuth(1000).Take(5), PromptTokenizer.For(folder).Tokenize(Prompt.Parse("pp5"), PromptForm.Plain).TokenIds);

        // By the definition, in numbers without a limit.
        static IEnumerable<int> Knuth(int count)
        {
            BigInteger modulus = BigInteger.One << 64;
            for (BigInteger state = 1; ; )
            {
                state = ((state * 6364136223846793005) + 1442695040888963407) % modulus;
                yield return (int)(state / (BigInteger.One << 33) % count);
            }
        }
    }

    [Fact]
    public void A_prompt_knows_how_many_tokens_it_asks_for_and_a_text_does_not()
    {
        Assert.Equal((8, null), (Prompt.Parse("pp8").TokenCount, Prompt.Parse("text").TokenCount));
        Assert.Equal(1 << 20, Prompt.Parse("pp1048576").TokenCount);
        Assert.EndsWith(
            "from 1 to 1048576 are possible",
            Assert.Throws<EngineException>(() => Prompt.Parse("pp1048577")).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("exactly twenty four char", "exactly twenty four char")]
    [InlineData("twenty five characters or", "twenty five char…#")]
    [InlineData(" seventeen in all", "seventeen in all#")]
    [InlineData(" now there are 17.", "now there are 17.#")]
    [InlineData(" now there are 18..", "now there are 18…#")]
    public void A_name_holds_as_much_of_a_text_as_there_is_room_for(string text, string name)
    {
        string id = Prompt.OfText(text).Id;
        Assert.Equal(name, name.EndsWith('#') ? id[..^6] : id);
        Assert.InRange(id.Length, 1, 24);
    }

    [Fact]
    public void An_empty_file_is_no_prompt()
    {
        string path = Path.GetTempFileName();
        try
        {
            Assert.Contains("is empty", Assert.Throws<EngineException>(() => Prompt.Parse("@" + path)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("a b", "a b")]
    [InlineData(" \t\na b \n", "a b")]
    [InlineData("\u001C\u001Fa\u001F\u001C", "a")]
    [InlineData("\u001Ba\u001B", "\u001Ba\u001B")]
    [InlineData("\u00A0!\u2003", "!")]
    [InlineData("   ", "")]
    [InlineData("", "")]
    public void Llama3s_template_trims_a_message_as_its_own_does(string message, string trimmed) =>
        Assert.Equal(
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
                + $"{trimmed}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            ChatTemplate.Get("llama3").Apply(message)
        );

    [Fact]
    public void A_template_that_there_is_not_lists_those_there_are() =>
        Assert.Equal("'x' is unknown; use none, llama3, phi3", Assert.Throws<EngineException>(() => ChatTemplate.Get("x")).Message);

    [Fact]
    public void Who_writes_bos_into_a_text_means_that_one()
    {
        TokenizedPrompt written = Tokenize("<|begin_of_text|>OpenVINO is", "none");
        Assert.Equal(Tokenize("OpenVINO is", "none").TokenIds, written.TokenIds);
        Assert.Equal(("<|begin_of_text|>OpenVINO is", null), (written.Text, Tokenize("pp8", "none").Text));
    }

    [Fact]
    public void Without_a_frame_bos_comes_where_it_was_asked_for_alone()
    {
        TokenizerFiles.Use(
            TokenizerFiles.Create().ToJsonString(),
            null,
            folder =>
            {
                var prompts = PromptTokenizer.For(tiny.Folder with { Path = folder, BosTokenId = 7 });
                Assert.Equal(['a', 'b'], prompts.Tokenize(Prompt.Parse("ab"), PromptForm.Plain).TokenIds);
                Assert.Equal([7, 'a', 'b'], prompts.Tokenize(Prompt.Parse("ab"), PromptForm.Plain with { AddBos = true }).TokenIds);

                var small = PromptTokenizer.For(tiny.Folder with { Path = folder, VocabularySize = 'b' });
                Assert.Equal(['a'], small.Tokenize(Prompt.Parse("a"), PromptForm.Plain).TokenIds);
                Assert.StartsWith(
                    "the prompt 'ab' has the token 98 at place 2, and the model's vocabulary ends at 97",
                    Assert.Throws<EngineException>(() => small.Tokenize(Prompt.Parse("ab"), PromptForm.Plain)).Message,
                    StringComparison.Ordinal
                );
                return true;
            }
        );
    }

    [Fact]
    public void A_template_whose_marks_are_no_tokens_is_refused()
    {
        EngineException error = Assert.Throws<EngineException>(() => Tokenize("OpenVINO is", "phi3"));

        Assert.Contains("<|user|>, <|end|>, <|assistant|>", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_bos_that_was_asked_for_comes_once_and_must_be_known()
    {
        PromptForm form = PromptForm.Plain with { AddBos = true };

        Assert.Equal(
            Tokenize("OpenVINO is", "none").TokenIds,
            PromptTokenizer.For(tiny.Folder).Tokenize(Prompt.Parse("OpenVINO is"), form).TokenIds
        );
        Assert.Throws<EngineException>(() =>
            PromptTokenizer.For(tiny.Folder with { BosTokenId = null }).Tokenize(Prompt.Parse("OpenVINO is"), form)
        );
    }

    private TokenizedPrompt Tokenize(string prompt, string template) =>
        PromptTokenizer.For(tiny.Folder).Tokenize(Prompt.Parse(prompt), new PromptForm(ChatTemplate.Get(template), AddBos: false));
}
