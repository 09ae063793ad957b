namespace Llama3Perf.Results.Rows;

/// <summary>One run of the suite: what a run folder holds.</summary>
/// <param name="Identity">Which run.</param>
/// <param name="Environment">Where it ran.</param>
/// <param name="Cases">Every case, measured or not, in the order they ran.</param>
public sealed record Run(RunIdentity Identity, RunEnvironment Environment, IReadOnlyList<CaseOutcome> Cases);
