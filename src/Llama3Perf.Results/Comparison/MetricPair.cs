using System.Globalization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>A metric of a case on two sides.</summary>
/// <param name="Metric">The metric.</param>
/// <param name="Baseline">Values of the baseline, at least one.</param>
/// <param name="Current">Values of the other side, at least one.</param>
internal sealed record MetricPair(Column<Sample> Metric, MeasuredSide Baseline, MeasuredSide Current)
{
    /// <summary>
    /// The verdicts of a family of metrics and cases, by <see cref="VerdictRule"/>. <c>compare</c> and <c>gate</c> both ask here, and
    /// so cannot contradict each other.
    /// </summary>
    public static IReadOnlyList<MetricJudgement> Judge(IReadOnlyList<MetricPair> family, double threshold, double alpha)
    {
        RatioEstimate[] ratios = [.. family.Select(pair => pair.Ratio)];
        int[] judged = [.. Enumerable.Range(0, family.Count).Where(i => family[i].Metric.Direction != Direction.None)];
        ChangeEvidence?[] evidence = [.. judged.Select(i => family[i].Evidence(ratios[i], threshold))];
        MetricJudgement[] judgements =
        [
            .. ratios.Select(ratio => new MetricJudgement(
                ratio,
                ratio.Interval(alpha),
                MetricVerdict.NotJudged,
                AdjustedP: null,
                Reason: null
            )),
        ];
        foreach (
            (int i, ChangeEvidence? known, (MetricVerdict verdict, double? p)) in judged.Zip(evidence, VerdictRule.Judge(evidence, alpha))
        )
        {
            judgements[i] = judgements[i] with
            {
                Verdict = verdict,
                AdjustedP = p,
                Reason = verdict == MetricVerdict.Inconclusive ? family[i].WhatWouldDecide(ratios[i], known, alpha, judged.Length) : null,
            };
        }

        return judgements;
    }

    /// <summary>The verdict of one pair alone, without the figures around it.</summary>
    public static MetricVerdict Verdict(MetricPair pair, double threshold, double alpha) =>
        VerdictRule.Judge([pair.Evidence(pair.Ratio, threshold)], alpha)[0].Verdict;

    private RatioEstimate Ratio => RatioEstimate.Of(Baseline.Values, Current.Values, Baseline.Noise, Current.Noise);

    private string? Unsteady =>
        (Baseline.Unsteady, Current.Unsteady) switch
        {
            (null, null) => null,
            ({ } reason, null) => $"baseline {reason}",
            (null, { } reason) => $"current side {reason}",
            ({ } before, { } now) => $"baseline {before}, current side {now}",
        };

    private ChangeEvidence? Evidence(RatioEstimate ratio, double threshold) =>
        ChangeEvidence.Of(ratio, Tolerance.Of(threshold, Metric.Direction), Unsteady is not null);

    private string WhatWouldDecide(RatioEstimate ratio, ChangeEvidence? evidence, double alpha, int family)
    {
        if (Unsteady is { } unsteady)
        {
            return $"{unsteady}; measure again when the machine is quiet";
        }

        (int a, int b) = (Baseline.Values.LaunchCount, Current.Values.LaunchCount);
        if (evidence is null)
        {
            return $"{a} and {b} launches do not show the spread between launches; measure {LaunchSpread.LeastLaunches} or more a side, or "
                + "give a noise record of this machine";
        }

        bool isBeyond = evidence.Gain < evidence.Tolerance.Loss;
        string found = isBeyond
            ? "a loss beyond the threshold is seen, no change is not excluded"
            : "a loss of the threshold is not excluded";
        string spread = string.Create(CultureInfo.InvariantCulture, $"launches spread by {ratio.LaunchSd * 100:0.0##} %");
        return LaunchPlan.LaunchesToDecide(ratio, evidence, alpha, family, Math.Min(a, b)) is { } launches
            ? $"{found}; about {launches} launches a side would decide, {launches - Math.Min(a, b)} more than now ({spread})"
            : $"{found}; more than {LaunchPlan.MostLaunches} launches a side would be needed ({spread}): measure on a quieter machine or "
                + "raise the threshold";
    }
}

/// <summary>A metric of a case on one side.</summary>
/// <param name="Values">Its values.</param>
/// <param name="Noise">Recorded noise of the case on the machine of this side; null when there is none.</param>
/// <param name="Unsteady">Why the side was not fit to measure, as the case's <c>fitness</c> says it; null when it was, or nothing is
/// known.</param>
internal sealed record MeasuredSide(LogSample Values, LaunchNoise? Noise, string? Unsteady);

/// <summary>What was found of a metric of a case.</summary>
/// <param name="Ratio">Current over baseline.</param>
/// <param name="Interval">The ratio's interval, each end exceeded with probability alpha; null when the spread between launches is
/// unknown.</param>
/// <param name="Verdict">What is proven.</param>
/// <param name="AdjustedP">One-sided p-value of a loss after Holm's correction; null when it was not tested.</param>
/// <param name="Reason">Why it is inconclusive, and what would decide it; else null.</param>
public sealed record MetricJudgement(RatioEstimate Ratio, Interval? Interval, MetricVerdict Verdict, double? AdjustedP, string? Reason);
