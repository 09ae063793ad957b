using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Sides;

/// <summary>Outcomes of one launch each as one outcome of several.</summary>
internal static class LaunchJoin
{
    /// <param name="launches">The launches of a case in their order, at least one.</param>
    /// <param name="run">The run that they become part of.</param>
    /// <param name="environment">Its environment.</param>
    public static CaseOutcome Of(IReadOnlyList<CaseOutcome> launches, RunIdentity run, RunEnvironment environment)
    {
        CaseOutcome first = launches[0];

        // What one launch does not measure is not measured.
        CaseOutcome told = launches.FirstOrDefault(outcome => outcome.Status != CaseStatus.Ok) ?? first;
        return told with
        {
            Case = first.Case,
            WarmUps = [.. launches.SelectMany(outcome => outcome.WarmUps)],
            Samples =
            [
                .. launches.SelectMany(
                    (outcome, index) =>
                        outcome.Samples.Select(sample =>
                            sample with
                            {
                                Run = run,
                                Environment = environment,
                                Case = first.Case,
                                LaunchIndex = index + 1,
                            }
                        )
                ),
            ],
        };
    }
}
