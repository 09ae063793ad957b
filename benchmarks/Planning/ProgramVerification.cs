using System.Globalization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Models;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Folders;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>Holds a program's tokens and, where it shows them, its logits after each prompt against a reference.</summary>
internal static class ProgramVerification
{
    /// <summary>Starts the program for as long as it takes to answer.</summary>
    /// <param name="subject">What the program measures.</param>
    /// <param name="planned">A case of it.</param>
    /// <param name="family">Of its engine.</param>
    /// <param name="reference">The prompts and their tokens.</param>
    /// <param name="eosTokens">EOS tokens of the model.</param>
    /// <param name="closeness">What the reference shares with what the program loads.</param>
    /// <returns>Unverified where the reference cannot tell a tie from a fault.</returns>
    public static VerificationOutcome Of(
        CaseSubject subject,
        PlannedCase planned,
        EngineFamily family,
        Reference reference,
        IReadOnlyList<int> eosTokens,
        Closeness closeness
    )
    {
        int length = reference.Cases.Max(known => known.InputIds.Length + known.GreedyTokens.Length);
        try
        {
            using IGenerator generator = family.Load(planned with { Peer = subject.Peer!(length) });
            // An option of the program's own may have made other weights than were asked for.
            string precision = generator.Description.Precision ?? subject.Precision;
            VerificationLimits limits = VerificationLimits.For(PrecisionOf(precision), closeness);
            TokenVerification verification = TokenVerification.Of(generator, reference, eosTokens, limits);
            return Outcome(verification, reference, closeness == Closeness.OtherWeights ? Margin(subject, precision, limits) : "") with
            {
                KlNats = verification.Divergence,
                KlLimitNats = verification.Divergence is null ? null : limits.MaxDivergence,
            };
        }
        catch (EngineException exception)
        {
            return new VerificationOutcome { Status = VerificationStatus.Failed, Detail = exception.Message };
        }
    }

    /// <summary>The tokens that end a text of the model, which the program leaves out of its choice.</summary>
    public static IReadOnlyList<int> EosOf(CaseSubject subject) =>
        subject.Source is { } source ? source.EosTokenIds
        : Checkpoint.IsCheckpoint(subject.Model) ? Checkpoint.Open(subject.Model).Tokens.EosTokenIds
        : ModelFolderReader.IsModelFolder(subject.Model) ? ModelFolderReader.Open(subject.Model).EosTokenIds
        : [];

    private static VerificationOutcome Outcome(TokenVerification tokens, Reference reference, string margin)
    {
        string counted = $"{tokens.Agreed} of {tokens.Compared}";
        string agreement =
            tokens.Positions.Count == 0
                ? $"tokens alone, against {reference.Source}: {counted} agree{margin}"
                : $"against {reference.Source}: {Logits(tokens)}, {counted} tokens agree{margin}";
        (VerificationStatus status, string detail) = tokens switch
        {
            { Failure: { } failure } => (VerificationStatus.Failed, failure),
            { Undecided: { } reason } => (VerificationStatus.Unverified, reason),
            { Compared: 0 } => (VerificationStatus.Unverified, $"{reference.Source} has no greedy tokens to compare"),
            // The margin of few bits is so wide that tokens of any model may be within it; logits of another model are not.
            { Agreed: 0, Positions.Count: 0 } => (VerificationStatus.Unverified, $"{agreement}; where not one agrees that proves nothing"),
            _ => (VerificationStatus.Passed, agreement),
        };
        return new VerificationOutcome
        {
            Status = status,
            TopPercent = tokens.TopPercent,
            Detail = detail,
        };
    }

    private static string Logits(TokenVerification tokens) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"last logits differ by at most {tokens.Positions.Max(position => position.Relative):0.######} of their spread over "
                + $"{tokens.Positions.Count} prompts, KL {tokens.Divergence:0.######} nats"
        );

    private static string Margin(CaseSubject subject, string precision, VerificationLimits limits)
    {
        string margin = FormattableString.Invariant(
            $"; what is within {precision}'s margin, {limits.MaxDifference} of the logits' spread, counts as a tie"
        );
        return subject.HasOwnNumbers
            ? $"{margin}: the program quantizes by itself, so this is a finding and no proof of the same weights"
            : margin;
    }

    // Formats that are none of ours have four to six bits.
    private static Precision PrecisionOf(string name) =>
        Enum.GetValues<Precision>().Where(precision => precision.Name() == name).DefaultIfEmpty(Precision.Int4).First();
}
