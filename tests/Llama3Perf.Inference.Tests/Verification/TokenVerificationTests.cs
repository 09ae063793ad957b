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

    private sealed class Program(int[] tokens) : IGenerator
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

        public void Dispose() { }
    }
}
