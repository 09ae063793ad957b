using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Gate;

/// <summary>A case that is measured on two sides in turn.</summary>
/// <param name="Name">What reports call it: its name in the baseline.</param>
/// <param name="BaselineId">Its <c>case_id</c> in the baseline.</param>
/// <param name="CurrentId">Its <c>case_id</c> on the current side.</param>
public sealed record SidePair(string Name, string BaselineId, string CurrentId);

/// <summary>The cases of two sides that are about to be measured in turn, paired by all that defines them before time is spent on
/// them.</summary>
public static class SidePairs
{
    /// <summary>
    /// Pairs cases. Builds, libraries and options are what such a measurement compares, so what the runs differ in as wholes is no
    /// obstacle; their cases may differ in one key, which is found, or in those that are named.
    /// </summary>
    /// <param name="baseline">The baseline's cases, measured or not.</param>
    /// <param name="current">The current side's.</param>
    /// <param name="vary">Keys that the cases are meant to differ in; empty finds the one.</param>
    /// <returns>At least one pair.</returns>
    /// <exception cref="RunFileException">A case is on one side only, cannot run on one, or nothing can be measured.</exception>
    /// <exception cref="OptionException">A varied field is no key column.</exception>
    public static IReadOnlyList<SidePair> Of(Run baseline, Run current, IReadOnlyList<string> vary)
    {
        RequireMeasurable(baseline, "the baseline");
        RequireMeasurable(current, "the current side");
        Run alike = current with { Identity = baseline.Identity, Environment = baseline.Environment };
        CaseMatching matching = CaseMatching.Of([baseline, alike], vary);
        if (matching.Sides.Count != 2)
        {
            throw new RunFileException(
                $"a side holds several values of {string.Join(", ", matching.Varied.Names)}; the sides differ in it, so give each one value"
            );
        }

        string[] alone = [.. matching.Rows.Select(WhyNot).OfType<string>()];
        if (alone.Length > 0)
        {
            string more = alone.Length > 1 ? $", and {alone.Length - 1} more" : "";
            throw new RunFileException($"the cases of the two sides do not match: {alone[0]}{more}; give both sides the same cases");
        }

        return
        [
            .. matching
                .Rows.Where(row => row[0]!.Outcome.Status != CaseStatus.Skipped)
                .Select(row => new SidePair(row[0]!.Outcome.CaseId, row[0]!.Outcome.CaseId, row[1]!.Outcome.CaseId)),
        ];
    }

    private static void RequireMeasurable(Run side, string name)
    {
        if (side.Cases.All(outcome => outcome.Status is CaseStatus.Skipped or CaseStatus.Failed))
        {
            string reason = side.Cases.Count == 0 ? "it has no case" : $"'{side.Cases[0].CaseId}': {side.Cases[0].Error}";
            throw new RunFileException($"{name} can measure nothing here: {reason}");
        }
    }

    // What neither side can run is no mismatch.
    private static string? WhyNot(KeyedCase?[] row)
    {
        string name = CaseMatching.NameOf(row);
        return (row[0]?.Outcome, row[1]?.Outcome) switch
        {
            (null, _) => $"'{name}' is on the current side only",
            (_, null) => $"'{name}' is in the baseline only",
            ({ Status: CaseStatus.Failed } failed, _) => $"'{name}' fails in the baseline: {failed.Error}",
            (_, { Status: CaseStatus.Failed } failed) => $"'{name}' fails on the current side: {failed.Error}",
            ({ Status: CaseStatus.Skipped }, { Status: CaseStatus.Skipped }) => null,
            ({ Status: CaseStatus.Skipped } skipped, _) => $"'{name}' is skipped in the baseline: {skipped.Error}",
            (_, { Status: CaseStatus.Skipped } skipped) => $"'{name}' is skipped on the current side: {skipped.Error}",
            _ => null,
        };
    }
}
