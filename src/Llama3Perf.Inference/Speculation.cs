using Llama3Perf.Models;

namespace Llama3Perf.Inference;

/// <summary>Speculative decoding: tokens are proposed cheaply and the model checks several of them in one call. The answer stays the
/// model's own.</summary>
/// <param name="MaxDraftTokens">Most tokens that are proposed at once, 1 to 16.</param>
public sealed record Speculation(int MaxDraftTokens)
{
    /// <summary>The smaller model that proposes; null where the sequence itself does.</summary>
    public ModelFolder? Draft { get; init; }

    /// <summary>Hash of its weights, which tells drafts of one name apart.</summary>
    public string? DraftSha256 { get; init; }

    /// <summary>Length of the pattern that is looked up in the sequence so far, 2 to 16; null with a draft model.</summary>
    public int? NgramSize { get; init; }
}

/// <summary>What became of the tokens that were proposed in one generation.</summary>
/// <param name="Proposed">Tokens that the draft proposed.</param>
/// <param name="Accepted">Tokens of these that the model would have taken itself.</param>
public sealed record DraftCounts(long Proposed, long Accepted);
