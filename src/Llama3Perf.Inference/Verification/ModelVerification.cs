using System.Globalization;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Verification;

/// <summary>A model's answers held against a reference's.</summary>
/// <param name="Cases">One for each prompt.</param>
/// <param name="Limits">What was tolerated.</param>
public sealed record ModelVerification(IReadOnlyList<VerifiedCase> Cases, VerificationLimits Limits)
{
    /// <summary>True when every prompt is within the limits.</summary>
    public bool Passed => Failure is null;

    /// <summary>What is wrong with the first prompt that is beyond a limit, or null.</summary>
    public string? Failure => Cases.Select(verified => verified.Failure(Limits)).FirstOrDefault(failure => failure is not null);

    /// <summary>Lets an engine answer the reference's prompts. It must be allowed EOS tokens.</summary>
    /// <exception cref="EngineException">The reference does not fit the model, or the engine fails other than by its numbers.</exception>
    public static ModelVerification Of(IEngine engine, ModelFolder folder, Reference reference, VerificationLimits limits)
    {
        foreach (ReferenceCase prompt in reference.Cases)
        {
            Check(folder, reference, prompt);
        }

        return new ModelVerification([.. reference.Cases.Select(prompt => CaseVerifier.Verify(engine, folder, prompt, limits))], limits);
    }

    private static void Check(ModelFolder folder, Reference reference, ReferenceCase prompt)
    {
        if (prompt.LastLogits.Length != folder.VocabularySize)
        {
            throw new EngineException(
                $"{reference.Source} has {prompt.LastLogits.Length} logits and the vocabulary of {folder.Path} has {folder.VocabularySize} "
                    + "tokens: they are different models"
            );
        }

        if (
            prompt.InputIds.Concat(prompt.GreedyTokens).FirstOrDefault(id => id < 0 || id >= folder.VocabularySize, -1)
            is >= 0
                and int outside
        )
        {
            throw new EngineException($"{reference.Source} has the token {outside}, outside the vocabulary of {folder.Path}");
        }

        int length = prompt.InputIds.Length + Math.Max(1, prompt.GreedyTokens.Length);
        if (length > folder.ContextLength)
        {
            throw new EngineException(
                $"'{prompt.Prompt}' of {reference.Source} needs {length} tokens and the context of {folder.Path} is {folder.ContextLength}"
            );
        }
    }
}

/// <summary>The answer to one prompt, compared.</summary>
/// <param name="Prompt">Short name for tables.</param>
/// <param name="Logits">Logits after the prompt.</param>
/// <param name="AgreedTokens">Greedy tokens before the first disagreement that is no tie.</param>
/// <param name="Tokens">Greedy tokens of the reference.</param>
/// <param name="Ties">Disagreements that do not count, because the reference's own margin is within the limit of differences.</param>
/// <param name="First">The first disagreement that counts, or null.</param>
public sealed record VerifiedCase(string Prompt, LogitsDifference Logits, int AgreedTokens, int Tokens, int Ties, Disagreement? First)
{
    /// <summary>Which limit is exceeded, and by what; null when none is.</summary>
    public string? Failure(VerificationLimits limits)
    {
        string? what =
            !Logits.IsFinite ? "NaN or infinite logits"
            : Logits.Relative > limits.MaxDifference
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"logits differ by {Logits.Relative:0.#####} of their spread, the limit is {limits.MaxDifference}"
                )
            : Logits.Cosine < limits.MinCosine
                ? string.Create(CultureInfo.InvariantCulture, $"the cosine is {Logits.Cosine:0.######}, the limit is {limits.MinCosine}")
            : Logits.Divergence > limits.MaxDivergence
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $"the KL divergence is {Logits.Divergence:0.#####}, the limit is {limits.MaxDivergence}"
                )
            : First is { Margin: double.NaN } ? $"NaN or infinite logits at greedy token {AgreedTokens + 1}"
            : AgreedTokens < Math.Min(limits.MinTokens, Tokens)
                ? $"{AgreedTokens} of {Tokens} greedy tokens agree, the limit is {Math.Min(limits.MinTokens, Tokens)}"
            : null;
        return what is null ? null : $"'{Prompt}': {what}";
    }
}

/// <summary>A greedy token that is not the reference's.</summary>
/// <param name="Index">Its position among the new tokens, from 0.</param>
/// <param name="Expected">The reference's token.</param>
/// <param name="Actual">The token that was chosen; -1 when the logits were no numbers.</param>
/// <param name="Margin">How much the reference prefers its own token, in logits; NaN when the logits were no numbers.</param>
/// <param name="IsReferencesMargin">False where the reference has no logits of that step: then it is how much the model prefers the other
/// token.</param>
public sealed record Disagreement(int Index, int Expected, int Actual, double Margin, bool IsReferencesMargin);
