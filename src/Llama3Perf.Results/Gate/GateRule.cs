using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>
/// The rule: why the gate is red, or is not. For each case and metric, on logarithms of the iterations' values,
/// <list type="number">
/// <item>fewer than <see cref="LeastSamples"/> iterations on a side decide nothing: inconclusive, never "no change";</item>
/// <item>sizes whose smallest possible p-value, times the number of tests, is not below alpha decide nothing either;</item>
/// <item>red when the Hodges-Lehmann ratio is worse than the threshold <b>and</b> a one-sided Mann-Whitney test without
/// threshold, corrected by Holm over all cases and metrics, has p below alpha; otherwise it passes.</item>
/// </list>
/// The ratio asks whether the change matters, the test whether it is there. Iterations of one launch are not independent,
/// so several launches a side, and a second measurement of what is red, are what keep false alarms rare.
/// </summary>
internal static class GateRule
{
    /// <summary>Iterations that each side needs.</summary>
    public const int LeastSamples = 5;

    /// <summary>Judges all pairs together, since the correction is over all of them.</summary>
    public static IReadOnlyList<GateCheck> Judge(IReadOnlyList<GatePair> pairs, GateOptions options)
    {
        string?[] obstacles = [.. pairs.Select(pair => Obstacle(pair, pairs.Count, options.Alpha))];

        // What cannot be decided counts as a test with p = 1: it makes the others no easier.
        double[] p = [.. pairs.Select((pair, i) => obstacles[i] is null ? PValue(pair) : 1)];
        double[] adjusted = Holm.Adjust(p);
        return [.. pairs.Select((pair, i) => obstacles[i] is { } reason ? Undecided(pair, reason) : Decided(pair, p[i], adjusted[i], options))];
    }

    /// <summary>The decision itself.</summary>
    public static bool IsRed(double ratio, double adjustedP, Direction direction, GateOptions options)
    {
        bool isBeyond = direction == Direction.HigherIsBetter ? ratio < 1 - options.Threshold : ratio > 1 + options.Threshold;
        return isBeyond && adjustedP < options.Alpha;
    }

    /// <summary>One-sided p-value against "current is worse".</summary>
    public static double PValue(GatePair pair) => pair.Metric.Direction == Direction.HigherIsBetter
        ? MannWhitney.Less(pair.Baseline.Sorted, pair.Current.Sorted)
        : MannWhitney.Greater(pair.Baseline.Sorted, pair.Current.Sorted);

    /// <summary>
    /// The exit code. A regression that was found stands whatever else is missing; a hole in the comparison outranks doubt;
    /// and nothing compared is never a pass.
    /// </summary>
    public static GateExitCode Exit(GateVerdict verdict)
    {
        bool HasCheck(GateOutcome outcome) => verdict.Checks.Any(check => check.Outcome == outcome);
        bool HasFinding(GateFindingKind kind) => verdict.Findings.Any(finding => finding.Kind == kind);
        return verdict switch
        {
            _ when HasCheck(GateOutcome.Regression) => GateExitCode.Regression,
            _ when HasFinding(GateFindingKind.Missing) || HasFinding(GateFindingKind.Incomparable) => GateExitCode.Incomparable,
            _ when HasFinding(GateFindingKind.OutputChanged) && verdict.Options.OutputChangeFails => GateExitCode.Incomparable,
            { Checks.Count: 0 } => GateExitCode.Incomparable,
            _ when HasCheck(GateOutcome.Inconclusive) && verdict.Options.InconclusiveFails => GateExitCode.Inconclusive,
            _ => GateExitCode.Pass,
        };
    }

    /// <summary>Why a pair cannot be decided, whatever its values are; null when it can.</summary>
    private static string? Obstacle(GatePair pair, int tests, double alpha)
    {
        (int n, int m) = (pair.Baseline.Count, pair.Current.Count);
        double floor = MannWhitney.SmallestP(n, m) * tests;
        return pair switch
        {
            _ when Math.Min(n, m) < LeastSamples => $"{n} and {m} iterations; at least {LeastSamples} a side decide",
            _ when floor >= alpha => FormattableString.Invariant($"{n} and {m} iterations cannot reach p < {alpha} in {tests} tests (at best {floor:0.####}); measure more iterations"),
            _ => null,
        };
    }

    private static GateCheck Decided(GatePair pair, double p, double adjustedP, GateOptions options)
    {
        RatioEstimate ratio = RatioEstimate.Of(pair.Baseline, pair.Current, confidence: 0.95);
        bool isRed = IsRed(ratio.Ratio, adjustedP, pair.Metric.Direction, options);
        return new GateCheck(pair, isRed ? GateOutcome.Regression : GateOutcome.Pass) { Ratio = ratio, P = p, AdjustedP = adjustedP };
    }

    private static GateCheck Undecided(GatePair pair, string reason) => new(pair, GateOutcome.Inconclusive)
    {
        Ratio = RatioEstimate.Of(pair.Baseline, pair.Current, confidence: 0.95),
        Reason = reason,
    };
}

/// <summary>A metric of a case on both sides of the gate.</summary>
/// <param name="CaseId">Name of the case.</param>
/// <param name="Case">The case, as the current side measured it.</param>
/// <param name="Metric">The metric.</param>
/// <param name="BaselineRunId">The run that speaks for the baseline.</param>
/// <param name="Baseline">Its values, at least one.</param>
/// <param name="Current">The current values, at least one.</param>
internal sealed record GatePair(string CaseId, CaseKey Case, Column<Sample> Metric, string BaselineRunId, LogSample Baseline, LogSample Current);
