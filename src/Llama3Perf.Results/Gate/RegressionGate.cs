using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Gate;

/// <summary>Holds a run against a baseline. What makes a check red is in <see cref="GateRule"/>, what makes two cases comparable in <see cref="GateSides"/>.</summary>
public static class RegressionGate
{
    /// <summary>Judges a run.</summary>
    /// <param name="baseline">One run, or several good ones: for each case and metric the median run speaks for them, so that one outlier does not.</param>
    /// <param name="current">The run to judge; it may be the baseline itself (A/A).</param>
    /// <param name="options">When the gate goes red.</param>
    /// <exception cref="ArgumentException">An option is out of range or unknown. Exit code 64.</exception>
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
            throw new ArgumentException("There is no baseline run.", nameof(baseline));
        }

        try
        {
            GateSides sides = GateSides.Of(baseline, current, metrics, options.Vary);
            GateCheck[] checks = [.. GateRule.Judge(sides.Pairs, options).OrderBy(Order).ThenBy(check => Gain(check))];
            return verdict with { Vary = sides.Vary, Checks = checks, Findings = [.. sides.Findings, .. RunDoubts.Of(baseline, current, metrics, options.AllowPartial), .. NoiseWarnings(sides, current, options)] };
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
        HashSet<CheckName> red = [.. first.Checks.Where(check => check.Outcome == GateOutcome.Regression).Select(CheckName.Of)];
        GateVerdict again = Judge(baseline, second, first.Options);
        Dictionary<CheckName, GateCheck> checks = GateRule
            .Judge([.. again.Checks.Select(check => check.Pair).Where(pair => red.Contains(CheckName.Of(pair)))], first.Options)
            .ToDictionary(CheckName.Of);
        GateFinding[] missing =
        [
            .. again.Findings.Where(finding => finding.Kind == GateFindingKind.Incomparable),
            .. red.Where(name => !checks.ContainsKey(name))
                .Select(name => new GateFinding(GateFindingKind.Missing, name.CaseId, $"{name.Metric} was red and was not measured again")),
        ];
        return first with
        {
            Checks = [.. first.Checks.Select(check => Confirmed(check, checks.GetValueOrDefault(CheckName.Of(check)))).OrderBy(Order).ThenBy(check => Gain(check))],
            Findings = [.. first.Findings, .. missing],
        };
    }

    private static GateCheck Confirmed(GateCheck check, GateCheck? again) => (check.Outcome, again?.Outcome) switch
    {
        (not GateOutcome.Regression, _) => check,
        (_, GateOutcome.Regression) => check with { Confirmation = again },
        (_, GateOutcome.Pass) => check with { Confirmation = again, Outcome = GateOutcome.NotConfirmed },
        _ => check with { Confirmation = again, Outcome = GateOutcome.Inconclusive, Reason = again?.Reason ?? "it was red and was not measured again" },
    };

    private static IEnumerable<GateFinding> NoiseWarnings(GateSides sides, Run current, GateOptions options)
    {
        foreach (GatePair pair in sides.Pairs)
        {
            NoiseEntry? entry = options.Noise?.Find(new CaseContext(current.Identity, current.Environment, pair.Case), pair.Metric);
            double? floor = entry?.Floor(Math.Min(pair.Baseline.LaunchCount, pair.Current.LaunchCount), Math.Min(pair.Baseline.Count / pair.Baseline.LaunchCount, pair.Current.Count / pair.Current.LaunchCount));
            if (floor > options.Threshold)
            {
                yield return new GateFinding(GateFindingKind.Note, pair.CaseId, $"{pair.Metric.Name}: the threshold of {ComparisonTable.Percent(options.Threshold)} is below the noise floor of {ComparisonTable.Percent(floor.Value)} recorded here; expect false alarms, or measure more launches");
            }
        }
    }

    private static int Order(GateCheck check) => check.Outcome switch
    {
        GateOutcome.Regression => 0,
        GateOutcome.Inconclusive => 1,
        GateOutcome.NotConfirmed => 2,
        _ => 3,
    };

    private static double Gain(GateCheck check) => check.Metric.Direction == Direction.HigherIsBetter ? check.Ratio.Ratio : 1 / check.Ratio.Ratio;

    private sealed record CheckName(string CaseId, string Metric)
    {
        public static CheckName Of(GateCheck check) => Of(check.Pair);

        public static CheckName Of(GatePair pair) => new(pair.CaseId, pair.Metric.Name);
    }
}
