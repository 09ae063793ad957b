using System.Globalization;

namespace Llama3Perf.Inference.Verification;

/// <summary>The tokens of a program that gives no logits, held against a reference's. Behind its first token of its own a sequence is
/// another one, and is not compared.</summary>
/// <param name="Agreed">Tokens that are the reference's.</param>
/// <param name="Compared">Tokens that were compared.</param>
/// <param name="Failure">What is wrong; null when every difference is a tie.</param>
public sealed record TokenVerification(int Agreed, int Compared, string? Failure)
{
    /// <summary>Tokens that agree, percent of those compared; null when there were none.</summary>
    public double? TopPercent => Compared == 0 ? null : 100.0 * Agreed / Compared;

    /// <summary>Lets a program generate.</summary>
    /// <param name="generator">The program, loaded. It chooses no EOS tokens: a reference is compared up to its first.</param>
    /// <param name="reference">The prompts, with the logits of every step.</param>
    /// <param name="eosTokens">EOS tokens of the model.</param>
    /// <param name="limits">Their difference is the margin up to which two tokens are a tie.</param>
    /// <exception cref="EngineException">The program fails.</exception>
    public static TokenVerification Of(IGenerator generator, Reference reference, IReadOnlyList<int> eosTokens, VerificationLimits limits)
    {
        (int agreed, int compared) = (0, 0);
        string? failure = null;
        foreach (ReferenceCase known in reference.Cases)
        {
            int[] expected = [.. known.GreedyTokens.TakeWhile(token => !eosTokens.Contains(token))];
            int[] actual = generator.Generate(known.InputIds, known.InputIds.Length + known.GreedyTokens.Length).NewTokens;
            int same = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
            agreed += same;
            compared += same;
            if (same < Math.Min(expected.Length, actual.Length))
            {
                compared++;
                failure ??= Difference(known, same, actual[same], limits);
            }
        }

        return new TokenVerification(agreed, compared, failure);
    }

    private static string? Difference(ReferenceCase known, int step, int actual, VerificationLimits limits)
    {
        float[] logits = known.LogitsOf(step)!;
        if (actual < 0 || actual >= logits.Length)
        {
            return $"'{known.Prompt}': token {step + 1} is {actual}, outside the vocabulary";
        }

        double margin = ((double)logits[known.GreedyTokens[step]] - logits[actual]) / LogitsDifference.SpreadOf(logits);
        return margin <= limits.MaxDifference
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"'{known.Prompt}': token {step + 1} is {actual}, not {known.GreedyTokens[step]}, which the reference prefers by "
                    + $"{margin:0.###} of its logits' spread; the limit is {limits.MaxDifference}"
            );
    }
}
