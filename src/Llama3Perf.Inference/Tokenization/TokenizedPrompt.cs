namespace Llama3Perf.Inference.Tokenization;

/// <summary>A prompt as engines take it.</summary>
/// <param name="Id">Short name for tables.</param>
/// <param name="TokenIds">Token ids, BOS included where there is one.</param>
public sealed record TokenizedPrompt(string Id, int[] TokenIds)
{
    /// <summary>The text that the ids were made of, chat template applied; null for pseudo-random tokens.</summary>
    public string? Text { get; init; }

    /// <summary>SHA-256 over the ids as little-endian int32, lowercase hexadecimal.</summary>
    public string Sha256 { get; } = Inference.TokenIds.Sha256(TokenIds);
}
