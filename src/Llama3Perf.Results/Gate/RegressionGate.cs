using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>Holds a run against a baseline. What makes a check red is in <see cref="VerdictRule"/>, what makes two cases comparable in
/// <see cref="GateSides"/>.</summary>
public static class RegressionGate
{
    /// <summary>Judges a run.</summary>
    /// <param name="baseline">One run, or several good ones: for each case and metric the median run, or the two in the middle, speak for
    /// them, so that one outlier does not.</param>
    /// <param name="current">The run to judge; it may be the baseline itself (A/A).</param>
    /// <param name="options">When the gate goes red.</param>
    /// <exception cref="OptionException">An option is out of range or unknown. Exit code 64.</exception>
    public static GateVerdict Judge(IReadOnlyList<Run> baseline, Run current, GateOptions options)
    {
        IReadOnlyList<Column<Sample>> metrics = GateOptions.Check(options);
        GateVerdict verdict = new()
        {
            Options = options,
            BaselineRunIds = [.. baseline.Select(run => run.Identity.RunId)],
            CurrentRunId = current.Identity.RunId,
        };
        if (baseline.Count == 0)
        {
            throw new OptionException("There is no baseline run.");
        }

        try
        {
            GateSides sides = GateSides.Of(baseline, current, metrics, options);
            GateCheck[] checks = [.. Judge(sides.Pairs, options).OrderBy(check => check.Outcome).ThenBy(Gain)];
            GateFinding[] findings =
            [
                .. sides.Findings,
                .. RunDoubts.Of(baseline, current, metrics, options.AllowPartial),
                .. NoiseWarnings(sides, options),
            ];
            return verdict with { Vary = sides.Vary, Checks = checks, Findings = findings };
        }
        catch (RunFileException e)
        {
            return verdict with { Findings = [new GateFinding(GateFindingKind.Incomparable, CaseId: null, e.Message)] };
        }
    }

    /// <summary>
    /// The second look at what was red: measure <see cref="GateVerdict.RedCases"/> again and give the result here. A check
    /// stays red only if the same rule finds it red again; what was not measured again is missing.
    /// </summary>
    /// <param name="first">The verdict with the red checks.</param>
    /// <param name="baseline">The baseline: the same runs, or the baseline build measured again interleaved with the current one.</param>
    /// <param name="second">The current side, measured again; other cases than the red ones are not looked at.</param>
    public static GateVerdict Confirm(GateVerdict first, IReadOnlyList<Run> baseline, Run second)
    {
        HashSet<CheckName> red = [.. first.Checks.Where(check => check.Outcome == MetricVerdict.Regression).Select(CheckName.Of)];
        GateVerdict again = Judge(baseline, second, first.Options);
        Dictionary<CheckName, GateCheck> checks = Judge(
                [.. again.Checks.Select(check => check.Pair).Where(pair => red.Contains(CheckName.Of(pair)))],
                first.Options
            )
            .ToDictionary(CheckName.Of);
        GateFinding[] missing =
        [
            .. again.Findings.Where(finding => finding.Kind == GateFindingKind.Incomparable),
            .. red.Where(name => !checks.ContainsKey(name))
                .Select(name => new GateFinding(GateFindingKind.Missing, name.CaseId, $"{name.Metric} was red and was not measured again")),
        ];
        return first with
        {
            Checks =
            [
                .. first
                    .Checks.Select(check => Confirmed(check, checks.GetValueOrDefault(CheckName.Of(check))))
                    .OrderBy(check => check.Outcome)
                    .ThenBy(Gain),
            ],
            Findings = [.. first.Findings, .. missing],
        };
    }

    private static GateCheck Confirmed(GateCheck check, GateCheck? again) =>
        (check.Outcome, again?.Outcome) switch
        {
            (not MetricVerdict.Regression, _) => check,
            (_, MetricVerdict.Regression) => check with { Confirmation = again },
            (_, MetricVerdict.Pass or MetricVerdict.Faster) => check with { Confirmation = again, Outcome = MetricVerdict.NotConfirmed },
            _ => check with
            {
                Confirmation = again,
                Outcome = MetricVerdict.Inconclusive,
                Reason = again?.Reason ?? "it was red and was not measured again",
            },
        };

    private static IEnumerable<GateCheck> Judge(IReadOnlyList<GatePair> pairs, GateOptions options) =>
        pairs.Zip(
            MetricPair.Judge([.. pairs.Select(pair => pair.Values)], options.Threshold, options.Alpha),
            (pair, judgement) => new GateCheck(pair, judgement)
        );

    private static IEnumerable<GateFinding> NoiseWarnings(GateSides sides, GateOptions options)
    {
        foreach ((GatePair pair, NoiseEntry? entry) in sides.Pairs.Zip(sides.Noise))
        {
            (LogSample baseline, LogSample current) = (pair.Values.Baseline.Values, pair.Values.Current.Values);
            double? floor = entry?.Floor(
                Math.Min(baseline.LaunchCount, current.LaunchCount),
                Math.Min(baseline.LeastIterations, current.LeastIterations),
                options.Alpha
            );
            if (floor > options.Threshold)
            {
                yield return new GateFinding(
                    GateFindingKind.Note,
                    pair.CaseId,
                    $"{pair.Values.Metric.Name}: the threshold of {ComparisonTable.Percent(options.Threshold)} is below the noise floor of "
                        + $"{ComparisonTable.Percent(Math.Round(floor.Value, 4))} recorded here; expect inconclusive checks, or measure "
                        + "more launches"
                );
            }

            if (options.Noise is not null && entry is null)
            {
                yield return new GateFinding(
                    GateFindingKind.Note,
                    pair.CaseId,
                    $"{pair.Values.Metric.Name}: the noise record does not know this case"
                );
            }
        }
    }

    private static double Gain(GateCheck check) =>
        check.Metric.Direction == Direction.HigherIsBetter ? check.Judgement.Ratio.Ratio : 1 / check.Judgement.Ratio.Ratio;

    private sealed record CheckName(string CaseId, string Metric)
    {
        public static CheckName Of(GateCheck check) => Of(check.Pair);

        public static CheckName Of(GatePair pair) => new(pair.CaseId, pair.Values.Metric.Name);
    }
}
