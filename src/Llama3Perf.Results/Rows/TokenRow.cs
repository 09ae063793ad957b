namespace Llama3Perf.Results.Rows;

/// <summary>When one new token was there: one row of tokens.csv, one entry of <see cref="Sample.TokenMs"/>.</summary>
public sealed record TokenRow
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>The case.</summary>
    public required string CaseId { get; init; }

    /// <summary><c>synthetic</c> or <c>real</c>, as in the case.</summary>
    public required string Weights { get; init; }

    /// <summary>Process launch, from 1.</summary>
    public required int LaunchIndex { get; init; }

    /// <summary>Iteration within the launch, from 1.</summary>
    public required int Iteration { get; init; }

    /// <summary>New token, from 1.</summary>
    public required int TokenIndex { get; init; }

    /// <summary>Time since the prompt was handed to the engine, ms.</summary>
    public required double Ms { get; init; }
}
