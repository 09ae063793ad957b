using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Verification;

namespace Llama3Perf.Benchmarks.Tests.Planning;

/// <summary>Prompts of a verification, and which models cannot be compared.</summary>
public sealed class ModelVerifierTests
{
    [Theory]
    [InlineData(2048, "pp15 pp64")]
    [InlineData(96, "pp15 pp64")]
    [InlineData(95, "pp15 pp63")]
    [InlineData(47, "pp15")]
    [InlineData(33, "pp1")]
    [InlineData(32, "")]
    [InlineData(8, "")]
    public void Prompts_leave_room_for_the_new_tokens(int context, string expected) =>
        Assert.Equal(expected, string.Join(' ', ModelVerifier.Prompts(ScriptedFamily.TinyFolder with { ContextLength = context })));

    [Fact]
    public void A_context_without_room_for_any_prompt_is_refused() =>
        Assert.Equal(
            "the context of 20 leaves no room for 32 new tokens",
            Assert.Throws<EngineException>(() => ModelVerifier.Answers(Side(), Side(context: 20), [])).Message
        );

    [Theory]
    [InlineData(46, 2048)]
    [InlineData(2048, 46)]
    public void A_prompt_that_one_of_the_two_has_no_room_for_is_refused(int reference, int tested) =>
        Assert.Equal(
            "the prompt 'pp15' and 32 new tokens do not fit into the context of 46; give shorter ones with --prompt",
            Assert.Throws<EngineException>(() => ModelVerifier.Answers(Side(reference), Side(tested), ["pp14", "pp15"])).Message
        );

    [Fact]
    public void A_prompt_that_just_fits_is_answered()
    {
        Reference answers = ModelVerifier.Answers(Side(47), Side(47), ["pp15"]);

        Assert.Equal(
            ("llama-tiny on ort/cpu", 15, 32),
            (answers.Source, answers.Cases[0].InputIds.Length, answers.Cases[0].GreedyTokens.Length)
        );
    }

    [Fact]
    public void Models_of_other_vocabularies_are_refused()
    {
        VerifiedSide other = Side() with { Folder = ScriptedFamily.TinyFolder with { VocabularySize = 2000 } };

        Assert.EndsWith(
            "have vocabularies of 2000 and 1024 tokens: they are different models",
            Assert.Throws<EngineException>(() => ModelVerifier.Answers(other, Side(), ["pp8"])).Message,
            StringComparison.Ordinal
        );
    }

    private static VerifiedSide Side(int context = 2048) =>
        new(ScriptedFamily.TinyFolder with { ContextLength = context }, "ort", new EngineOptions { Threads = 1 });
}
