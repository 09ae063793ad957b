namespace Llama3Perf.Results.Rows;

/// <summary>What one precision of a checkpoint costs and buys. What is unknown is null.</summary>
/// <param name="Name">Precision and block size: <c>int4 b32</c>.</param>
/// <param name="WeightBytes">Bytes of the folder's graph and data.</param>
/// <param name="Perplexity">Of the text; lower is better.</param>
/// <param name="KlNats">Mean Kullback-Leibler divergence from the reference, nats; null for the reference itself.</param>
/// <param name="TopPercent">Positions at which both prefer the same token, percent.</param>
/// <param name="TokensPerSecond">New tokens a second after the first.</param>
/// <param name="Problem">Why there are no figures; null when there are.</param>
public sealed record QualityRow(
    string Name,
    long? WeightBytes,
    double? Perplexity,
    double? KlNats,
    double? TopPercent,
    double? TokensPerSecond,
    string? Problem
);
