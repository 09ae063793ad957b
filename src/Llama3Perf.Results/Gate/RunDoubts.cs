using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Gate;

/// <summary>What speaks against judging these runs, before any figure is looked at: parts of runs fail the gate, the rest is
/// said.</summary>
internal static class RunDoubts
{
    /// <summary>All doubts.</summary>
    /// <param name="baseline">The baseline.</param>
    /// <param name="current">The run to judge.</param>
    /// <param name="metrics">What is judged.</param>
    /// <param name="allowPartial">Parts of runs are judged too, and only named.</param>
    public static IEnumerable<GateFinding> Of(
        IReadOnlyList<Run> baseline,
        Run current,
        IReadOnlyList<Column<Sample>> metrics,
        bool allowPartial
    )
    {
        GateFindingKind part = allowPartial ? GateFindingKind.Note : GateFindingKind.Missing;
        foreach (Run run in baseline.Append(current).DistinctBy(run => run.Source ?? run.Identity.RunId))
        {
            foreach (string loss in run.Losses)
            {
                yield return new GateFinding(part, CaseId: null, $"only a part of a run: {loss}");
            }

            foreach ((string caseId, string message) in Gaps(run, metrics))
            {
                yield return new GateFinding(part, caseId, message);
            }
        }

        foreach (string note in Notes(baseline, current))
        {
            yield return new GateFinding(GateFindingKind.Note, CaseId: null, note);
        }
    }

    // A metric that no sample has is missing by another rule; one that some have was lost on the way.
    private static IEnumerable<(string CaseId, string Message)> Gaps(Run run, IReadOnlyList<Column<Sample>> metrics) =>
        from outcome in run.Cases
        let samples = outcome.Samples.Where(sample => sample.Completed).ToArray()
        from metric in metrics
        let known = samples.Count(sample => metric.Value(sample) is not null)
        where known > 0 && known < samples.Length
        select (outcome.CaseId, $"{metric.Name} stands in {known} of {samples.Length} samples of run {run.Identity.RunId}");

    private static IEnumerable<string> Notes(IReadOnlyList<Run> baseline, Run current)
    {
        foreach (Run good in baseline.Where(run => run.Identity.RunId != current.Identity.RunId))
        {
            if (good.Identity.TestTime > current.Identity.TestTime)
            {
                yield return $"the current run {current.Identity.RunId} is older than the baseline {good.Identity.RunId}";
            }

            if (Moments(current).Overlaps(Moments(good)))
            {
                yield return $"run {current.Identity.RunId} holds samples of run {good.Identity.RunId}: they were taken at the same "
                    + "moments";
            }

            if (good.Environment.CpuName != current.Environment.CpuName)
            {
                yield return $"the processors differ: {good.Environment.CpuName ?? "unknown"} in the baseline {good.Identity.RunId}, "
                    + $"{current.Environment.CpuName ?? "unknown"} in the current run";
            }
        }
    }

    private static HashSet<(string, DateTimeOffset, double?)> Moments(Run run) =>
        [.. run.Cases.SelectMany(outcome => outcome.Samples).Select(sample => (sample.CaseId, sample.StartUtc, sample.DecodeTps))];
}
