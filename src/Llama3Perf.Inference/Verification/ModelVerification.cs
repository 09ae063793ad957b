using Llama3Perf.Models;

namespace Llama3Perf.Inference.Verification;

/// <summary>A model's answers held against a reference's.</summary>
/// <param name="Cases">One for each prompt.</param>
/// <param name="Limits">What was tolerated.</param>
public sealed record ModelVerification(IReadOnlyList<VerifiedCase> Cases, VerificationLimits Limits)
{
    /// <summary>True when every prompt is within the limits.</summary>
    public bool Passed => Failure is null;

    /// <summary>What is wrong with the first prompt that is beyond a limit, or with all together; null when nothing is.</summary>
    public string? Failure =>
        Cases.Select(verified => verified.Failure(Limits)).FirstOrDefault(failure => failure is not null) ?? Limits.WhyBeyond(Divergence);

    /// <summary>Mean Kullback-Leibler divergence over all positions of all prompts, nats; NaN when a logit was none.</summary>
    public double Divergence => Cases.SelectMany(verified => verified.Positions).Average(position => position.Divergence);

    /// <summary>How many of the reference's greedy tokens the model chose too, percent.</summary>
    public double TopPercent => 100.0 * Cases.Sum(verified => verified.TopTokens) / Math.Max(1, Cases.Sum(verified => verified.Tokens));

    /// <summary>Lets an engine answer the reference's prompts. It must be allowed EOS tokens.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="folder">What it has loaded.</param>
    /// <param name="reference">The prompts, and what they should give.</param>
    /// <param name="limits">What is tolerated.</param>
    /// <param name="onToken">Told of each token.</param>
    /// <exception cref="EngineException">The reference does not fit the model, or the engine fails other than by its numbers.</exception>
    public static ModelVerification Of(
        IEngine engine,
        ModelFolder folder,
        Reference reference,
        VerificationLimits limits,
        Action? onToken = null
    )
    {
        foreach (ReferenceCase prompt in reference.Cases)
        {
            Check(folder, reference, prompt);
        }

        return new ModelVerification(
            [.. reference.Cases.Select(prompt => CaseVerifier.Verify(engine, folder, prompt, limits, onToken))],
            limits
        );
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
/// <param name="Positions">Differences of the logits: those after the prompt, then those of each step whose logits the reference
/// has.</param>
/// <param name="Tokens">Greedy tokens of the reference.</param>
/// <param name="TopTokens">How many of them the model chose too.</param>
/// <param name="Ties">Disagreements that do not count, because the reference's own margin is within the limit of differences.</param>
/// <param name="First">The first disagreement that counts, or null.</param>
public sealed record VerifiedCase(
    string Prompt,
    IReadOnlyList<LogitsDifference> Positions,
    int Tokens,
    int TopTokens,
    int Ties,
    Disagreement? First
)
{
    /// <summary>Greedy tokens before the first disagreement that counts.</summary>
    public int AgreedTokens => First?.Index ?? Tokens;

    /// <summary>The largest difference of a logit among the positions.</summary>
    public double Maximum => Positions.Max(position => position.Maximum);

    /// <summary>The largest difference as a share of its reference's spread.</summary>
    public double Relative => Positions.Max(position => position.Relative);

    /// <summary>The smallest cosine.</summary>
    public double Cosine => Positions.Min(position => position.Cosine);

    /// <summary>Mean Kullback-Leibler divergence over the positions, nats.</summary>
    public double Divergence => Positions.Average(position => position.Divergence);

    /// <summary>Which limit of its own the prompt exceeds, and by what; null when none.</summary>
    public string? Failure(VerificationLimits limits)
    {
        int worst = Worst();
        string where = worst == 0 ? "" : $" at greedy token {worst + 1}";
        string? what =
            !Positions[0].IsFinite ? "NaN or infinite logits"
            : First is { Margin: double.NaN } ? $"NaN or infinite logits at greedy token {AgreedTokens + 1}"
            : limits.WhyBeyond(Relative, Cosine, where)
                ?? (
                    AgreedTokens < Math.Min(limits.MinTokens, Tokens)
                        ? $"{AgreedTokens} of {Tokens} greedy tokens agree, the limit is {Math.Min(limits.MinTokens, Tokens)}"
                        : null
                );
        return what is null ? null : $"'{Prompt}': {what}";
    }

    private int Worst() => Positions.Select((position, i) => (position.Relative, i)).Max().i;
}

/// <summary>A greedy token that is not the reference's.</summary>
/// <param name="Index">Its position among the new tokens, from 0.</param>
/// <param name="Expected">The reference's token.</param>
/// <param name="Actual">The token that was chosen; -1 when the logits were no numbers.</param>
/// <param name="Margin">How much the reference prefers its own token, in logits; NaN when the logits were no numbers.</param>
/// <param name="IsReferencesMargin">False where the reference has no logits of that step: then it is how much the model prefers the other
/// token.</param>
public sealed record Disagreement(int Index, int Expected, int Actual, double Margin, bool IsReferencesMargin);
