namespace Llama3Perf.Models.Tokenizer;

/// <summary>The token ids that a generation needs to know.</summary>
/// <param name="BosTokenId">Begins every sequence, or null.</param>
/// <param name="EosTokenIds">Each ends a generation: end of text, of message, of turn.</param>
/// <param name="PadTokenId">Fills batches, or null.</param>
public sealed record SpecialTokens(int? BosTokenId, IReadOnlyList<int> EosTokenIds, int? PadTokenId);
