namespace Llama3Perf.Results.Rows;

/// <summary>One run of the suite: what a run folder holds.</summary>
/// <param name="Identity">Which run.</param>
/// <param name="Environment">Where it ran.</param>
/// <param name="Cases">Every case, measured or not, in the order they ran.</param>
public sealed record Run(RunIdentity Identity, RunEnvironment Environment, IReadOnlyList<CaseOutcome> Cases)
{
    /// <summary>The file or folder that it was read from; null for a run of this process.</summary>
    public string? Source { get; init; }

    /// <summary>What a reader of its figures should be told about the files, a line each: samples that results.csv counts and samples.csv
    /// lacks.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>Why this may be only a part of what was measured, a line each; they stand among the remarks too. A gate judges no part of a
    /// run.</summary>
    public IReadOnlyList<string> Losses { get; init; } = [];
}
