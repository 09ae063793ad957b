using Llama3Perf.Inference.Engines.GenAi;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Tests.Native;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

namespace Llama3Perf.Inference.Tests.Engines.GenAi;

/// <summary>What is said to change the speed alone: speculative decoding and a divided prefill give the tokens of greedy search.</summary>
[Collection(RealGenAiTests.Collection)]
public sealed class SpeculationTests
{
    private static readonly Lazy<ModelFolder> s_model = new(() => Build("model", seed: 1));

    private static readonly int[] s_prompt = [1, 20, 300, 4, 50, 20, 300, 4, 50, 20, 300];

    public SpeculationTests() => TestRuntime.SkipWithoutGenAi();

    [Fact]
    public void A_draft_that_is_the_model_is_always_right()
    {
        TestRuntime.SkipWithoutSpeculation();
        GenerationResult plain = Run(new EngineOptions());
        GenerationResult drafted = Run(new EngineOptions { Speculation = new Speculation(4) { Draft = s_model.Value } });

        Assert.Equal(plain.NewTokens, drafted.NewTokens);
        Assert.Null(plain.Drafts);
        Assert.True(drafted.Drafts!.Proposed > 20, $"{drafted.Drafts.Proposed} proposed");
        Assert.InRange(drafted.Drafts.Accepted, drafted.Drafts.Proposed * 0.9, drafted.Drafts.Proposed);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(16)]
    public void A_draft_that_is_another_model_changes_nothing(int tokens)
    {
        TestRuntime.SkipWithoutSpeculation();
        ModelFolder other = Build("other", seed: 2);
        GenerationResult drafted = Run(new EngineOptions { Speculation = new Speculation(tokens) { Draft = other } });

        Assert.Equal(Run(new EngineOptions()).NewTokens, drafted.NewTokens);
        Assert.True(drafted.Drafts!.Accepted < drafted.Drafts.Proposed / 2, $"{drafted.Drafts}");
    }

    [Fact]
    public void Patterns_of_the_sequence_change_nothing()
    {
        TestRuntime.SkipWithoutSpeculation();
        GenerationResult drafted = Run(new EngineOptions { Speculation = new Speculation(4) { NgramSize = 3 } });

        Assert.Equal(Run(new EngineOptions()).NewTokens, drafted.NewTokens);
        Assert.True(drafted.Drafts!.Proposed >= drafted.Drafts.Accepted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    public void A_divided_prefill_changes_nothing(int chunk) =>
        Assert.Equal(Run(new EngineOptions()).NewTokens, Run(new EngineOptions { PrefillChunk = chunk }).NewTokens);

    [Fact]
    public void A_model_with_the_last_logits_alone_is_refused_in_the_librarys_words()
    {
        TestRuntime.SkipWithoutSpeculation();
        using IEngine engine = GenAiRuntime.Kind.Load(
            Build("pruned", seed: 1, isPruned: true),
            new EngineOptions { Speculation = new Speculation(4) { NgramSize = 3 } }
        );
        Assert.Contains("pruned", Assert.Throws<EngineException>(() => engine.Reset(75)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_draft_of_another_vocabulary_is_refused() =>
        Assert.Contains(
            "they must be of one tokenizer",
            Assert
                .Throws<EngineException>(() =>
                    GenAiRuntime.Kind.Load(
                        s_model.Value,
                        new EngineOptions { Speculation = new Speculation(4) { Draft = s_model.Value with { VocabularySize = 7 } } }
                    )
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Another_engine_says_who_has_it()
    {
        foreach (
            EngineOptions options in (EngineOptions[])
                [new() { Speculation = new Speculation(4) { NgramSize = 3 } }, new() { PrefillChunk = 8 }]
        )
        {
            Assert.EndsWith(
                "--engine genai has",
                Assert.Throws<EngineException>(() => OrtSession.Kind.Load(s_model.Value, options)).Message,
                StringComparison.Ordinal
            );
        }
    }

    private static GenerationResult Run(EngineOptions options)
    {
        using IEngine engine = GenAiRuntime.Kind.Load(s_model.Value, options with { Threads = 1 });
        _ = TimedGeneration.Run(engine, s_prompt, 24);
        return TimedGeneration.Run(engine, s_prompt, 75);
    }

    private static ModelFolder Build(string name, ulong seed, bool isPruned = false) =>
        ModelBuilder.Build(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = Precision.Fp32,
                Seed = seed,
                // The model checks several tokens in one call, so it has to give the logits of all of them.
                PruneLmHead = isPruned,
            },
            TestRuntime.Scratch($"speculation-{name}"),
            cancellationToken: TestContext.Current.CancellationToken
        );
}
