using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>Baseline and current, matched case by case: what the rule can judge, and what is missing.</summary>
internal sealed class GateSides
{
    private readonly List<GatePair> _pairs = [];
    private readonly List<NoiseEntry?> _noise = [];
    private readonly List<GateFinding> _findings = [];
    private readonly NoiseRecord? _record;
    private readonly double? _maxKl;

    private GateSides(IReadOnlyList<string> vary, GateOptions options) =>
        (Vary, _record, _maxKl) = (vary, options.Noise, options.MaxKlNats);

    /// <summary>The fields that the sides differ in.</summary>
    public IReadOnlyList<string> Vary { get; }

    /// <summary>What can be judged.</summary>
    public IReadOnlyList<GatePair> Pairs => _pairs;

    /// <summary>For each of <see cref="Pairs"/> the recorded noise of the current side; null where there is none.</summary>
    public IReadOnlyList<NoiseEntry?> Noise => _noise;

    /// <summary>What cannot, and what else is to be said.</summary>
    public IReadOnlyList<GateFinding> Findings => _findings;

    /// <summary>Matches the sides.</summary>
    /// <exception cref="RunFileException">They differ in more than what is varied, or the noise record is of another machine.</exception>
    public static GateSides Of(IReadOnlyList<Run> baseline, Run current, IReadOnlyList<Column<Sample>> metrics, GateOptions options)
    {
        CaseMatching matching = CaseMatching.Of([.. baseline, current], options.Vary, onlyOfRuns: true);
        if (matching.Sides.Count != baseline.Count + 1)
        {
            throw new RunFileException(
                $"a run holds several values of {string.Join(", ", matching.Varied.Names)}; the gate holds one run against another: "
                    + "measure them apart"
            );
        }

        options.Noise?.RequireMachine([.. baseline, current]);
        GateSides sides = new(matching.Varied.Names, options);
        if (baseline.Any(run => run.Identity.RunId == current.Identity.RunId))
        {
            sides.Add(GateFindingKind.Note, caseId: null, $"baseline and current are the same run, {current.Identity.RunId} (A/A)");
        }

        foreach (
            string remark in matching.Sides.SelectMany(side => side.Run.Remarks.Except(side.Run.Losses)).Distinct(StringComparer.Ordinal)
        )
        {
            sides.Add(GateFindingKind.Note, caseId: null, remark);
        }

        foreach (KeyedCase?[] row in matching.Rows)
        {
            sides.AddCase(row, metrics);
        }

        return sides;
    }

    private void AddCase(KeyedCase?[] row, IReadOnlyList<Column<Sample>> metrics)
    {
        string caseId = CaseMatching.NameOf(row);
        KeyedCase[] known = [.. row[..^1].OfType<KeyedCase>()];
        KeyedCase[] good = [.. known.Where(found => found.Problem() is null)];
        KeyedCase? current = row[^1];
        if (good.Length == 0 || current is null || current.Problem() is not null)
        {
            AddAbsence(caseId, known, good, current);
            return;
        }

        _findings.AddRange(Answers(caseId, good, current, _maxKl));
        foreach (Column<Sample> metric in metrics)
        {
            AddPair(caseId, good, current, metric);
        }
    }

    /// <summary>A case that was good and is not any more fails, and so does one that failed. One that is new, or runs nowhere here, is only
    /// noted.</summary>
    private void AddAbsence(string caseId, KeyedCase[] baseline, KeyedCase[] good, KeyedCase? current)
    {
        string was = good.Length > 0 ? "measured" : baseline.FirstOrDefault()?.Problem() ?? "not there";
        string now = current is null ? "not there" : current.Problem() ?? "measured";
        bool hasFailed = IsFailed(current) || (good.Length == 0 && baseline.Any(IsFailed));
        bool isMissing = hasFailed || good.Length > 0;
        Add(isMissing ? GateFindingKind.Missing : GateFindingKind.Note, caseId, $"baseline: {was}; current: {now}");

        static bool IsFailed(KeyedCase? found) => found?.Problem() is not null && found.Outcome.Status != CaseStatus.Skipped;
    }

    private void AddPair(string caseId, KeyedCase[] baseline, KeyedCase current, Column<Sample> metric)
    {
        MeasuredSide values = CaseComparer.Side(current, metric, _record);
        (string RunId, MeasuredSide Side)[] candidates =
        [
            .. baseline
                .Select(found => (found.Outcome.Samples[0].Run.RunId, CaseComparer.Side(found, metric, _record)))
                .Where(candidate => candidate.Item2.Values.Count > 0),
        ];
        if (values.Values.Count > 0 && candidates.Length > 0)
        {
            (string runId, MeasuredSide chosen) = MedianRun(candidates);
            _pairs.Add(new GatePair(caseId, current.Outcome.Case, runId, new MetricPair(metric, chosen, values)));
            _noise.Add(_record?.Find(current.Context, metric));
            return;
        }

        bool isNowhere = values.Values.Count == 0 && candidates.Length == 0;
        string where =
            isNowhere ? "on either side"
            : values.Values.Count == 0 ? "in the current run"
            : "in the baseline";
        Add(isNowhere ? GateFindingKind.Note : GateFindingKind.Missing, caseId, $"no {metric.Name} was measured {where}");
    }

    /// <summary>
    /// The run that speaks for several baseline runs: the one with the median median, so that an outlying run, good or bad, is
    /// never chosen. Of an even number the two in the middle speak together, since the better one would raise false alarms and the
    /// worse one wrong passes. Runs of too few launches stand back when others have enough, and unsteady ones when others are steady.
    /// </summary>
    internal static (string RunId, MeasuredSide Side) MedianRun((string RunId, MeasuredSide Side)[] runs)
    {
        (string RunId, MeasuredSide Side)[] ascending =
        [
            .. Preferred(
                    Preferred(runs, run => run.Side.Unsteady is null),
                    run => run.Side.Values.LaunchCount >= LaunchSpread.LeastLaunches
                )
                .OrderBy(run => run.Side.Values.LaunchMean),
        ];
        (string RunId, MeasuredSide Side) lower = ascending[(ascending.Length - 1) / 2];
        (string RunId, MeasuredSide Side) upper = ascending[ascending.Length / 2];
        return ascending.Length % 2 == 1
            ? lower
            : (
                $"{lower.RunId} and {upper.RunId}",
                new MeasuredSide(
                    LogSample.Join([lower.Side.Values, upper.Side.Values]),
                    lower.Side.Noise ?? upper.Side.Noise,
                    lower.Side.Unsteady ?? upper.Side.Unsteady
                )
            );

        static (string RunId, MeasuredSide Side)[] Preferred(
            (string RunId, MeasuredSide Side)[] runs,
            Func<(string RunId, MeasuredSide Side), bool> isBetter
        ) => runs.Any(isBetter) ? [.. runs.Where(isBetter)] : runs;
    }

    /// <summary>What is to be said of a case's answers: other tokens under the same folder, engine, provider and prompt, a divergence
    /// beyond what is tolerated, a verification that is not made any more.</summary>
    internal static IEnumerable<GateFinding> Answers(string caseId, IReadOnlyList<KeyedCase> baseline, KeyedCase current, double? maxKl)
    {
        if (AnswerChange.Tokens(baseline, current, "engine", "provider") is { } change)
        {
            yield return new GateFinding(
                GateFindingKind.OutputChanged,
                caseId,
                $"output tokens changed under the same model folder, engine {current["engine"]} and provider {current["provider"]}: "
                    + change
            );
        }

        if (AnswerChange.Divergence(baseline, current, maxKl) is { } divergence)
        {
            yield return new GateFinding(GateFindingKind.WrongAnswer, caseId, divergence);
        }

        if (
            current.Outcome.Verification is { Status: VerificationStatus.Unverified or VerificationStatus.Off } lost
            && baseline.Any(found => found.Outcome.Verification.Status == VerificationStatus.Passed)
        )
        {
            string why = lost.Status == VerificationStatus.Off ? "verification was off" : lost.Detail ?? "no reason known";
            yield return new GateFinding(
                GateFindingKind.Note,
                caseId,
                $"the baseline's answers were verified and the current ones were not: {why}"
            );
        }
    }

    private void Add(GateFindingKind kind, string? caseId, string message) => _findings.Add(new GateFinding(kind, caseId, message));
}
