using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Verification;

public sealed class ModelVerificationTests
{
    private static readonly VerificationLimits s_limits = new(0.05, 0.99, 0.05, 32);

    private static readonly TokenizedPrompt s_prompt = new("p", [0, 1]);

    // Counts 0, 1, 2, 3, 0, ...: every fourth token is EOS.
    private static float[] Counting(int[] tokens) => Row((tokens[^1] + 1) % 4, 10);

    [Fact]
    public void A_model_agrees_with_itself_across_eos_tokens()
    {
        using TableEngine engine = new(Counting);
        var reference = Reference.Of(engine, "itself", [s_prompt], [TableEngine.Eos], newTokens: 10);
        Assert.Equal([2, 3, 0, 1, 2, 3, 0, 1, 2, 3], reference.Cases[0].GreedyTokens);

        VerifiedCase verified = Verify(Counting, reference).Cases[0];

        Assert.Equal((10, 10, 0, null), (verified.AgreedTokens, verified.Tokens, verified.Ties, verified.First));
        Assert.Null(verified.Failure(s_limits));
        Assert.Equal(3, engine.Prefills);
    }

    [Fact]
    public void The_first_disagreement_is_named_with_the_references_margin()
    {
        Reference reference = Answers(Counting, 10);

        ModelVerification verification = Verify(tokens => tokens.Length == 6 ? Row(3, 10) : Counting(tokens), reference);

        VerifiedCase verified = verification.Cases[0];
        Assert.Equal(new Disagreement(4, 2, 3, 10, IsReferencesMargin: true), verified.First);
        Assert.Equal(4, verified.AgreedTokens);
        Assert.Equal((9, 90), (verified.TopTokens, verification.TopPercent));
        Assert.Equal("'p': logits differ by 1 of their spread at greedy token 5, the limit is 0.05", verification.Failure);
        VerificationLimits wide = new(1, -1, 100, 5);
        Assert.Equal("'p': 4 of 10 greedy tokens agree, the limit is 5", verified.Failure(wide));
        Assert.Null(verified.Failure(wide with { MinTokens = 4 }));
    }

    [Fact]
    public void A_disagreement_within_the_limit_is_a_tie_and_the_references_sequence_goes_on()
    {
        // The reference prefers 2 to 3 by 0.4 of a spread of 10; the limit of 0.05 allows 0.5.
        float[] close = [0, 0, 10, 9.6f];
        float[] swapped = [0, 0, 9.7f, 9.9f];
        Reference reference = Answers(tokens => tokens.Length == 6 ? close : Counting(tokens), 10);

        VerifiedCase tie = Verify(tokens => tokens.Length == 6 ? swapped : Counting(tokens), reference).Cases[0];
        VerifiedCase strict = Verify(
            tokens => tokens.Length == 6 ? swapped : Counting(tokens),
            reference,
            s_limits with
            {
                MaxDifference = 0.03,
            }
        ).Cases[0];

        Assert.Equal((10, 1, null), (tie.AgreedTokens, tie.Ties, tie.First));
        Assert.Equal((4, 0), (strict.AgreedTokens, strict.Ties));
        Assert.Equal(0.4, strict.First!.Margin, 5);
    }

    [Fact]
    public void Without_the_references_logits_the_models_own_margin_decides()
    {
        Reference reference = Answers(Counting, 10);
        reference = reference with { Cases = [reference.Cases[0] with { StepLogits = null }] };

        VerifiedCase tie = Verify(tokens => tokens.Length == 6 ? [0, 0, 9.7f, 10] : Counting(tokens), reference).Cases[0];
        VerifiedCase wrong = Verify(tokens => tokens.Length == 6 ? [0, 0, 9, 10] : Counting(tokens), reference).Cases[0];

        Assert.Equal(1, tie.Ties);
        Assert.Equal(new Disagreement(4, 2, 3, 1, IsReferencesMargin: false), wrong.First);
    }

    [Fact]
    public void Numbers_that_are_none_fail_whatever_the_limits()
    {
        VerificationLimits all = new(double.MaxValue, -1, double.MaxValue, 0);
        Reference reference = Answers(Counting, 10);

        ModelVerification atOnce = Verify(_ => Row(0, float.NaN), reference, all);
        ModelVerification infinite = Verify(_ => Row(2, float.PositiveInfinity), reference, all);
        ModelVerification later = Verify(tokens => tokens.Length == 5 ? Row(0, float.NaN) : Counting(tokens), reference, all);

        Assert.Equal("'p': NaN or infinite logits", atOnce.Failure);
        Assert.Equal("'p': NaN or infinite logits", infinite.Failure);
        Assert.Equal("'p': NaN or infinite logits at greedy token 4", later.Failure);
    }

    [Fact]
    public void Each_limit_is_its_own()
    {
        VerifiedCase verified = new("p", [new LogitsDifference(1, 10, 0.98, 0.2)], 32, 20, 0, new Disagreement(20, 1, 2, 3, true));
        VerificationLimits wide = new(0.1, 0.98, 0.2, 20);

        Assert.Null(verified.Failure(wide));
        Assert.Contains("0.1 of their spread", verified.Failure(wide with { MaxDifference = 0.09 }), StringComparison.Ordinal);
        Assert.Contains("cosine", verified.Failure(wide with { MinCosine = 0.981 }), StringComparison.Ordinal);
        Assert.Contains(
            "KL divergence",
            new ModelVerification([verified], wide with { MaxDivergence = 0.19 }).Failure,
            StringComparison.Ordinal
        );
        Assert.Contains("20 of 32", verified.Failure(wide with { MinTokens = 21 }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_reference_of_another_model_is_refused()
    {
        ReferenceCase good = Answers(Counting, 10).Cases[0];
        Assert.Contains("different models", Refused(good with { LastLogits = [1, 2, 3] }), StringComparison.Ordinal);
        Assert.Contains("token 4, outside", Refused(good with { InputIds = [4] }), StringComparison.Ordinal);
        Assert.Contains("needs 70 tokens", Refused(good with { InputIds = new int[60] }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_reference_is_one_line()
    {
        string file = Path.GetTempFileName();
        foreach (
            string text in (string[])
                [
                    "",
                    "{}",
                    "{\"cases\": []}",
                    "{\"cases\": [{\"prompt\": 1}]}",
                    "{\"cases\": [{\"prompt\": \"a\", \"input_ids\": [], \"last_logits\": [], \"greedy_new_tokens\": []}]}",
                    "[]",
                ]
        )
        {
            File.WriteAllText(file, text);
            EngineException error = Assert.Throws<EngineException>(() => Reference.Read(file));
            Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }

        File.Delete(file);
        Assert.Throws<EngineException>(() => Reference.Read(file));
    }

    [Theory]
    [InlineData(Closeness.Same, Precision.Int4, 0.5e-3, true)]
    [InlineData(Closeness.Same, Precision.Int4, 2e-3, false)]
    [InlineData(Closeness.Rounding, Precision.Fp32, 2e-3, false)]
    [InlineData(Closeness.Rounding, Precision.Int4, 0.01, true)]
    [InlineData(Closeness.Rounding, Precision.Int4, 0.03, false)]
    [InlineData(Closeness.RoundedActivations, Precision.Int4, 0.05, true)]
    [InlineData(Closeness.RoundedActivations, Precision.Int4, 0.07, false)]
    [InlineData(Closeness.OtherArithmetic, Precision.Fp32, 0.01, true)]
    [InlineData(Closeness.OtherArithmetic, Precision.Fp16, 0.03, false)]
    [InlineData(Closeness.OtherArithmetic, Precision.Int8, 0.09, true)]
    [InlineData(Closeness.OtherArithmetic, Precision.Int4, 0.11, false)]
    [InlineData(Closeness.OtherWeights, Precision.Fp32, 2e-4, false)]
    [InlineData(Closeness.OtherWeights, Precision.Int8, 0.07, false)]
    [InlineData(Closeness.OtherWeights, Precision.Int4, 0.4, true)]
    [InlineData(Closeness.OtherWeights, Precision.Int4, 0.5, false)]
    public void What_both_sides_share_has_a_limit_of_its_own(Closeness closeness, Precision precision, double share, bool passes)
    {
        // One logit that is never chosen moves by a share of the spread of 10, at every position.
        float[] Moved(int[] tokens)
        {
            float[] row = Counting(tokens);
            row[(tokens[^1] + 2) % 4] += (float)(share * 10);
            return row;
        }

        ModelVerification verification = Verify(Moved, Answers(Counting, 10), VerificationLimits.For(precision, closeness));

        Assert.Equal(passes, verification.Failure is null);
    }

    [Fact]
    public void A_single_wrong_step_among_right_ones_is_found()
    {
        // Only the decode step at the eighth token is wrong, and in a logit that is never chosen: no token tells.
        float[] Wrong(int[] tokens)
        {
            float[] row = Counting(tokens);
            row[(tokens[^1] + 2) % 4] += tokens.Length == 9 ? 3 : 0;
            return row;
        }

        VerifiedCase verified = Verify(Wrong, Answers(Counting, 10)).Cases[0];

        Assert.Equal((10, 10), (verified.TopTokens, verified.Positions.Count));
        Assert.Equal("'p': logits differ by 0.3 of their spread at greedy token 8, the limit is 0.05", verified.Failure(s_limits));
    }

    private static string Refused(ReferenceCase bad) =>
        Assert.Throws<EngineException>(() => Verify(Counting, new Reference("r", [bad]))).Message;

    private static Reference Answers(Func<int[], float[]> logits, int newTokens)
    {
        using TableEngine engine = new(logits);
        return Reference.Of(engine, "table", [s_prompt], [TableEngine.Eos], newTokens);
    }

    private static ModelVerification Verify(Func<int[], float[]> logits, Reference reference, VerificationLimits? limits = null)
    {
        using TableEngine engine = new(logits);
        return ModelVerification.Of(engine, TableEngine.Folder, reference, limits ?? s_limits);
    }

    private static float[] Row(int highest, float value) => [.. Enumerable.Range(0, 4).Select(token => token == highest ? value : 0)];
}
