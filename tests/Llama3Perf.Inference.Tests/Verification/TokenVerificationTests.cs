using Llama3Perf.Inference.Verification;

namespace Llama3Perf.Inference.Tests.Verification;

public sealed class TokenVerificationTests
{
    private static readonly VerificationLimits s_limits = new(0.05, 0.99, 0.05, 32);

    // Token 3 ends the sequence for an engine, and a program that takes no EOS goes on with another.
    private static readonly Reference s_reference = new(
        "r",
        [
            new ReferenceCase(
                "p",
                [0, 1],
                [0, 0, 10, 9.7f],
                [2, 2, 3, 1],
                [
                    [0, 0, 10, 9.7f],
                    [0, 9.8f, 10, 0],
                    [0, 0, 0, 10],
                    [0, 10, 0, 0],
                ]
            ),
        ]
    );

    [Theory]
    [InlineData(new[] { 2, 2, 0, 0 }, 2, 2, null)]
    [InlineData(new[] { 2, 1, 0, 0 }, 1, 2, null)]
    [InlineData(new[] { 0, 2, 0, 0 }, 0, 1, "'p': token 1 is 0, not 2, which the reference prefers by 1 of its logits' spread; ")]
    [InlineData(new[] { 2, 9, 0, 0 }, 1, 2, "'p': token 2 is 9, not 2, outside the vocabulary of 4")]
    public void Tokens_agree_up_to_the_first_that_is_no_tie(int[] tokens, int agreed, int compared, string? failure)
    {
        var verification = TokenVerification.Of(new Program(tokens), s_reference, [3], s_limits);

        Assert.Equal((agreed, compared), (verification.Agreed, verification.Compared));
        Assert.Equal(100.0 * agreed / compared, verification.TopPercent);
        Assert.StartsWith(failure ?? "", verification.Failure ?? "", StringComparison.Ordinal);
        Assert.Equal(failure is null, verification.Failure is null);
    }

    /// <summary>A reference.json tells the logits of the prompt's last position alone.</summary>
    [Theory]
    [InlineData(0.05, new[] { 2, 2, 0, 0 }, null, null)]
    [InlineData(0.05, new[] { 3, 2, 0, 0 }, null, null)]
    [InlineData(0.05, new[] { 0, 2, 0, 0 }, "'p': token 1 is 0, not 2, which the reference prefers by 1 of", null)]
    [InlineData(0.05, new[] { 2, 1, 0, 0 }, null, "'p': token 2 is 1, not 2, and r has no logits there that would tell a tie from a fault")]
    [InlineData(0.001, new[] { 2, 1, 0, 0 }, "'p': token 2 is 1, not 2, and r has no logits there", null)]
    public void Where_the_logits_are_missing_only_equal_computations_are_known_to_differ(
        double limit,
        int[] tokens,
        string? failure,
        string? undecided
    )
    {
        Reference file = s_reference with { Cases = [s_reference.Cases[0] with { StepLogits = null }] };

        var verification = TokenVerification.Of(new Program(tokens), file, [3], s_limits with { MaxDifference = limit });

        Assert.StartsWith(failure ?? "", verification.Failure ?? "", StringComparison.Ordinal);
        Assert.Equal((failure is null, undecided), (verification.Failure is null, verification.Undecided));
    }

    [Fact]
    public void A_prompt_without_tokens_proves_nothing()
    {
        Reference file = s_reference with { Cases = [s_reference.Cases[0] with { GreedyTokens = [], StepLogits = null }] };

        var verification = TokenVerification.Of(new Program([]), file, [3], s_limits);

        Assert.Equal((0, 0, null), (verification.Agreed, verification.Compared, verification.TopPercent));
    }

    [Theory]
    [InlineData(new[] { 0, 0, 10, 9.7f }, 0.0, null)]
    [InlineData(new[] { 0, 0, 10, 9.6f }, 0.0013, null)]
    [InlineData(new[] { 0f, 0, 10, 9 }, 0.06, "'p': logits differ by 0.07 of their spread, the limit is 0.05")]
    [InlineData(new[] { 10f, 10, 20, 20 }, 0.02, "'p': logits differ by 1.03 of their spread, the limit is 0.05")]
    [InlineData(new[] { 0, 0, 10, float.NaN }, null, "'p': NaN or infinite logits")]
    [InlineData(new[] { 0f, 0 }, null, "'p': 2 logits, and the reference has 4: they are different models")]
    public void Logits_are_held_against_the_references_where_a_program_shows_them(float[] logits, double? divergence, string? failure)
    {
        var verification = TokenVerification.Of(new Program([2, 2, 0, 0], logits), s_reference, [3], s_limits);

        Assert.Equal((2, failure), (verification.Agreed, verification.Failure));
        if (divergence is { } nats)
        {
            Assert.InRange(verification.Divergence!.Value, 0, nats);
        }
    }

    [Fact]
    public void The_mean_divergence_over_the_prompts_has_a_limit_of_its_own()
    {
        VerificationLimits limits = s_limits with { MaxDivergence = 0.0001 };

        var verification = TokenVerification.Of(new Program([2, 2, 0, 0], [0, 0, 10, 9.6f]), s_reference, [3], limits);

        Assert.Matches(@"^the mean KL divergence is 0\.00\d+ nats, the limit is 0\.0001$", verification.Failure);
    }

    private sealed class Program(int[] tokens, float[]? logits = null) : IGenerator
    {
        public EngineDescription Description { get; } = new("external:p", ExecutionProvider.Cpu);

        public GenerationResult Generate(ReadOnlySpan<int> prompt, int maxLength)
        {
            Assert.Equal(6, maxLength);
            return new GenerationResult
            {
                StartUtc = default,
                PromptTokens = prompt.Length,
                NewTokens = tokens,
                TokenMs = [1, 2, 3, 4],
                PrefillMs = 1,
                ResetMs = 0,
            };
        }

        public GenerationResult GenerateShown(ReadOnlySpan<int> prompt, int maxLength) =>
            Generate(prompt, maxLength) with
            {
                LastLogits = logits,
            };

        public void Dispose() { }
    }
}
