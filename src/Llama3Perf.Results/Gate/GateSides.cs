using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>Baseline and current, matched case by case: what the rule can judge, and what is missing.</summary>
internal sealed class GateSides
{
    private readonly List<GatePair> _pairs = [];
    private readonly List<GateFinding> _findings = [];

    private GateSides(IReadOnlyList<string> vary) => Vary = vary;

    /// <summary>The fields that the sides differ in.</summary>
    public IReadOnlyList<string> Vary { get; }

    /// <summary>What can be judged.</summary>
    public IReadOnlyList<GatePair> Pairs => _pairs;

    /// <summary>What cannot, and what else is to be said.</summary>
    public IReadOnlyList<GateFinding> Findings => _findings;

    /// <summary>Matches the sides.</summary>
    /// <exception cref="RunFileException">They differ in more than what is varied.</exception>
    public static GateSides Of(IReadOnlyList<Run> baseline, Run current, IReadOnlyList<Column<Sample>> metrics, IReadOnlyList<string> vary)
    {
        CaseMatching matching = CaseMatching.Of([.. baseline, current], vary, onlyOfRuns: true);
        if (matching.Sides.Count != baseline.Count + 1)
        {
            throw new RunFileException($"a run holds several values of {string.Join(", ", matching.Varied.Names)}; the gate holds one run against another: measure them apart");
        }

        GateSides sides = new(matching.Varied.Names);
        if (baseline.Any(run => run.Identity.RunId == current.Identity.RunId))
        {
            sides.Add(GateFindingKind.Note, caseId: null, $"baseline and current are the same run, {current.Identity.RunId} (A/A)");
        }

        foreach (string remark in matching.Sides.SelectMany(side => side.Run.Remarks.Except(side.Run.Losses)).Distinct(StringComparer.Ordinal))
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

        if (OutputChange(good, current) is { } change)
        {
            Add(GateFindingKind.OutputChanged, caseId, change);
        }

        foreach (Column<Sample> metric in metrics)
        {
            AddPair(caseId, good, current, metric);
        }
    }

    /// <summary>A case that was good and is not any more fails, and so does one that failed. One that is new, or runs nowhere here, is only noted.</summary>
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
        LogSample values = LogSample.Of(current.Outcome.Samples, metric);
        (string RunId, LogSample Values)[] candidates =
        [
            .. baseline.Select(found => (found.Outcome.Samples[0].Run.RunId, LogSample.Of(found.Outcome.Samples, metric))).Where(candidate => candidate.Item2.Count > 0),
        ];
        if (values.Count > 0 && candidates.Length > 0)
        {
            (string runId, LogSample chosen) = MedianRun(candidates, metric.Direction);
            _pairs.Add(new GatePair(caseId, current.Outcome.Case, metric, runId, chosen, values));
            return;
        }

        bool isNowhere = values.Count == 0 && candidates.Length == 0;
        string where = isNowhere ? "on either side" : values.Count == 0 ? "in the current run" : "in the baseline";
        Add(isNowhere ? GateFindingKind.Note : GateFindingKind.Missing, caseId, $"no {metric.Name} was measured {where}");
    }

    /// <summary>
    /// The run that speaks for several baseline runs: the one with the median median. Its iterations are compared as they are,
    /// so the test keeps its meaning, and an outlying run, good or bad, is never chosen. Of the two in the middle of an even
    /// number it is the worse one, which raises fewer false alarms. Runs with too few iterations stand back when others have enough.
    /// </summary>
    internal static (string RunId, LogSample Values) MedianRun((string RunId, LogSample Values)[] runs, Direction direction)
    {
        (string RunId, LogSample Values)[] able = [.. runs.Where(run => run.Values.Count >= GateRule.LeastSamples)];
        (string RunId, LogSample Values)[] ascending = [.. (able.Length > 0 ? able : runs).OrderBy(run => run.Values.Median)];
        return ascending[(direction == Direction.HigherIsBetter ? ascending.Length - 1 : ascending.Length) / 2];
    }

    /// <summary>Tokens that no good baseline run gave, where folder, engine, provider and prompt are known to be the same.</summary>
    private static string? OutputChange(KeyedCase[] baseline, KeyedCase current)
    {
        string[] same = ["model_sha256", "engine", "provider", "prompt_sha256"];
        KeyedCase[] alike = [.. baseline.Where(found => same.All(name => found[name] is { } text && text == current[name]))];
        string[] before = [.. alike.SelectMany(Outputs).Distinct(StringComparer.Ordinal)];
        string[] after = [.. Outputs(current).Except(before, StringComparer.Ordinal)];
        return before.Length == 0 || after.Length == 0
            ? null
            : $"output tokens changed under the same model folder, engine {current["engine"]} and provider {current["provider"]}: {Short(before)} became {Short(after)}";

        static IEnumerable<string> Outputs(KeyedCase found) => found.Outcome.Samples.Select(sample => sample.OutputSha256).OfType<string>().Distinct(StringComparer.Ordinal);
        static string Short(string[] hashes) => string.Join(" or ", hashes.Take(3).Select(hash => hash.Length > 12 ? hash[..12] : hash));
    }

    private void Add(GateFindingKind kind, string? caseId, string message) => _findings.Add(new GateFinding(kind, caseId, message));
}
