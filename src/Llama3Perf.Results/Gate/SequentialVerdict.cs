using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>What a measurement in blocks came to, with the exit code of the gate.</summary>
public sealed record SequentialVerdict
{
    /// <summary>The options that it was decided under.</summary>
    public required GateOptions Options { get; init; }

    /// <summary>Run id of the baseline's files.</summary>
    public required string BaselineRunId { get; init; }

    /// <summary>Run id of the current side's files.</summary>
    public required string CurrentRunId { get; init; }

    /// <summary>Seed of the order of the launches.</summary>
    public required int Seed { get; init; }

    /// <summary>Why no more was measured, one line.</summary>
    public required string Ended { get; init; }

    /// <summary>The keys that the sides differ in; empty when they are the same (A/A).</summary>
    public required IReadOnlyList<string> Vary { get; init; }

    /// <summary>Every metric of every case, worst first.</summary>
    public required IReadOnlyList<SequentialRow> Rows { get; init; }

    /// <summary>What else was found.</summary>
    public required IReadOnlyList<GateFinding> Findings { get; init; }

    /// <summary>The exit code that follows, by the rule of the gate.</summary>
    public GateExitCode ExitCode => GateVerdict.ExitCodeOf([.. Rows.Select(row => row.Check.Verdict)], Findings, Options);

    /// <summary>The verdict on two runs that were measured in turn.</summary>
    /// <param name="gate">What the blocks decided.</param>
    /// <param name="pairs">The cases.</param>
    /// <param name="baseline">The baseline's run.</param>
    /// <param name="current">The current side's run.</param>
    /// <param name="seed">Seed of the order of the launches.</param>
    /// <param name="ended">Why no more was measured.</param>
    public static SequentialVerdict Of(
        SequentialGate gate,
        IReadOnlyList<SidePair> pairs,
        Run baseline,
        Run current,
        int seed,
        string ended
    )
    {
        Dictionary<string, (KeyedCase Before, KeyedCase Now)> cases = pairs.ToDictionary(
            pair => pair.Name,
            pair => (Find(baseline, pair.BaselineId), Find(current, pair.CurrentId))
        );
        string[] vary =
        [
            .. KeyedCase.Names.Where(
                cases.Values.SelectMany(both => both.Now.DifferencesTo(both.Before)).ToHashSet(StringComparer.Ordinal).Contains
            ),
        ];
        SequentialRow[] rows =
        [
            .. gate.Checks.Select(check => new SequentialRow(
                check,
                Median(cases[check.CaseId].Before, check),
                Median(cases[check.CaseId].Now, check)
            )),
        ];
        return new SequentialVerdict
        {
            Options = gate.Options,
            BaselineRunId = baseline.Identity.RunId,
            CurrentRunId = current.Identity.RunId,
            Seed = seed,
            Ended = ended,
            Vary = vary,
            Rows = [.. rows.OrderBy(row => row.Check.Verdict)],
            Findings = [.. FindingsOf(cases, vary, gate.Options.MaxKlNats)],
        };
    }

    private static IEnumerable<GateFinding> FindingsOf(
        Dictionary<string, (KeyedCase Before, KeyedCase Now)> cases,
        string[] vary,
        double? maxKl
    )
    {
        if (vary.Length == 0)
        {
            yield return new GateFinding(GateFindingKind.Note, CaseId: null, "the sides differ in nothing that is recorded (A/A)");
        }

        foreach ((string name, (KeyedCase before, KeyedCase now)) in cases)
        {
            if (before.Outcome.Status == CaseStatus.Failed || now.Outcome.Status == CaseStatus.Failed)
            {
                yield return new GateFinding(
                    GateFindingKind.Missing,
                    name,
                    $"baseline: {before.Problem() ?? "measured"}; current: {now.Problem() ?? "measured"}"
                );
            }

            foreach (GateFinding finding in GateSides.Answers(name, [before], now, maxKl))
            {
                yield return finding;
            }
        }
    }

    private static KeyedCase Find(Run run, string caseId) =>
        run.Cases.FirstOrDefault(outcome => outcome.CaseId == caseId) is { } found
            ? new KeyedCase(run, found)
            : throw new RunFileException($"run {run.Identity.RunId} lacks the case '{caseId}', which it was to measure");

    private static double? Median(KeyedCase found, SequentialCheck check) =>
        LogSample.Of(found.Outcome.Samples, check.Metric) is { Count: > 0 } values ? values.Median : null;
}

/// <summary>A check, and the medians of both sides over all launches, in the metric's unit.</summary>
/// <param name="Check">The check.</param>
/// <param name="BaselineMedian">Null where it was not measured.</param>
/// <param name="CurrentMedian">Null where it was not measured.</param>
public sealed record SequentialRow(SequentialCheck Check, double? BaselineMedian, double? CurrentMedian);
