using System.Globalization;

namespace Llama3Perf.Inference.Verification;

/// <summary>What a program of its own answers, held against a reference: its tokens and, where it shows them, its logits after each prompt.
/// Behind its first token of its own a sequence is another one, and is not compared.</summary>
/// <param name="Agreed">Tokens that are the reference's.</param>
/// <param name="Compared">Tokens that were compared.</param>
/// <param name="Failure">What is wrong; null when every difference that can be judged is a tie.</param>
public sealed record TokenVerification(int Agreed, int Compared, string? Failure)
{
    // Limits of one computation done twice: there a tie is too rare to be taken for one unseen.
    private const double NoTies = 1e-3;

    /// <summary>A difference where the reference tells no logits, so that nobody knows whether it is a tie; null when there is
    /// none.</summary>
    public string? Undecided { get; private init; }

    /// <summary>Differences of the logits after the prompts; none where the program shows no logits.</summary>
    public IReadOnlyList<LogitsDifference> Positions { get; private init; } = [];

    /// <summary>Mean Kullback-Leibler divergence over <see cref="Positions"/>, nats; null where there are none.</summary>
    public double? Divergence => Positions.Count == 0 ? null : Positions.Average(position => position.Divergence);

    /// <summary>Tokens that agree, percent of those compared; null when there were none.</summary>
    public double? TopPercent => Compared == 0 ? null : 100.0 * Agreed / Compared;

    /// <summary>Lets a program generate.</summary>
    /// <param name="generator">The program, loaded. It chooses no EOS tokens: a reference is compared up to its first.</param>
    /// <param name="reference">The prompts. Where it has the logits of the last prompt position alone, only a first token that differs can
    /// be a tie.</param>
    /// <param name="eosTokens">EOS tokens of the model.</param>
    /// <param name="limits">Of the logits; their difference is also the margin up to which two tokens are a tie.</param>
    /// <exception cref="EngineException">The program fails.</exception>
    public static TokenVerification Of(IGenerator generator, Reference reference, IReadOnlyList<int> eosTokens, VerificationLimits limits)
    {
        (int agreed, int compared) = (0, 0);
        string? failure = null;
        string? undecided = null;
        List<LogitsDifference> positions = [];
        foreach (ReferenceCase known in reference.Cases.Where(known => known.GreedyTokens.Length > 0))
        {
            int[] expected = [.. known.GreedyTokens.TakeWhile(token => !eosTokens.Contains(token))];
            GenerationResult result = generator.GenerateShown(known.InputIds, known.InputIds.Length + known.GreedyTokens.Length);
            if (result.LastLogits is { } own)
            {
                failure ??= Compare(known, own, limits, positions);
            }

            int[] actual = result.NewTokens;
            int same = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
            agreed += same;
            compared += same;
            if (same < Math.Min(expected.Length, actual.Length))
            {
                compared++;
                if (known.LogitsOf(same) is { } logits)
                {
                    failure ??= Difference(known, same, actual[same], logits, limits);
                }
                else
                {
                    string what = $"{Named(known, same, actual[same])}, and {reference.Source} has no logits there";
                    failure ??= limits.MaxDifference <= NoTies ? what : null;
                    undecided ??= $"{what} that would tell a tie from a fault";
                }
            }
        }

        TokenVerification verification = new(agreed, compared, failure) { Positions = positions };
        verification = verification with { Failure = failure ?? (verification.Divergence is { } mean ? limits.WhyBeyond(mean) : null) };
        return verification with { Undecided = verification.Failure is null ? undecided : null };
    }

    private static string? Compare(ReferenceCase known, float[] own, VerificationLimits limits, List<LogitsDifference> positions)
    {
        if (own.Length != known.LastLogits.Length)
        {
            return $"'{known.Prompt}': {own.Length} logits, and the reference has {known.LastLogits.Length}: they are different models";
        }

        LogitsDifference difference = LogitsDifference.Between(known.LastLogits, own);
        positions.Add(difference);
        string? what = difference.IsFinite ? limits.WhyBeyond(difference.Relative, difference.Cosine) : "NaN or infinite logits";
        return what is null ? null : $"'{known.Prompt}': {what}";
    }

    private static string? Difference(ReferenceCase known, int step, int actual, float[] logits, VerificationLimits limits)
    {
        int expected = known.GreedyTokens[step];
        if ((uint)actual >= (uint)logits.Length || (uint)expected >= (uint)logits.Length)
        {
            return $"{Named(known, step, actual)}, outside the vocabulary of {logits.Length}";
        }

        double margin = ((double)logits[expected] - logits[actual]) / LogitsDifference.SpreadOf(logits);
        return margin <= limits.MaxDifference
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{Named(known, step, actual)}, which the reference prefers by {margin:0.###} of its logits' spread; the limit is "
                    + $"{limits.MaxDifference}"
            );
    }

    private static string Named(ReferenceCase known, int step, int actual) =>
        $"'{known.Prompt}': token {step + 1} is {actual}, not {known.GreedyTokens[step]}";
}
