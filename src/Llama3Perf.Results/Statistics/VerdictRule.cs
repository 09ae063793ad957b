using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Statistics;

/// <summary>
/// The rule: why a check is red, passes, or decides nothing. It is one for <c>compare</c>, <c>gate</c> and <c>ab</c>. The unit is
/// the launch, the estimate the ratio of the sides with the spread between launches in its interval. For a threshold T and an
/// error rate alpha,
/// <list type="number">
/// <item><b>regression</b>: the estimate is worse than T, and no change is excluded: its one-sided p-value, corrected by Holm over
/// the family (all cases and metrics), is below alpha;</item>
/// <item><b>faster</b>: the same towards the better;</item>
/// <item><b>pass</b>: a loss of T or more is excluded at alpha. Each pass must be proven by itself, so a family needs no correction;</item>
/// <item><b>inconclusive</b>: anything else, and whatever a side shows that was not fit to measure.</item>
/// </list>
/// A pass has its estimate within T, a regression beyond: no number of metrics or cases turns one into the other.
/// </summary>
internal static class VerdictRule
{
    /// <summary>Judges a family of checks together, since the correction is over all of them.</summary>
    /// <param name="family">What is known of each check; null where nothing is, which counts as a test with p = 1 and makes the others no
    /// easier.</param>
    /// <param name="alpha">Error rate.</param>
    public static IReadOnlyList<(MetricVerdict Verdict, double? AdjustedP)> Judge(IReadOnlyList<ChangeEvidence?> family, double alpha)
    {
        double[] losses = Holm.Adjust([.. family.Select(evidence => evidence?.PNoLoss ?? 1)]);
        double[] gains = Holm.Adjust([.. family.Select(evidence => evidence?.PNoGain ?? 1)]);
        return
        [
            .. family.Select(
                (evidence, i) =>
                    evidence is null
                        ? (MetricVerdict.Inconclusive, (double?)null)
                        : (Decide(evidence, losses[i], gains[i], alpha), losses[i])
            ),
        ];
    }

    private static MetricVerdict Decide(ChangeEvidence evidence, double loss, double gain, double alpha) =>
        evidence switch
        {
            { IsUnsteady: true } => MetricVerdict.Inconclusive,
            _ when evidence.Gain < evidence.Tolerance.Loss && loss < alpha => MetricVerdict.Regression,
            _ when evidence.Gain > evidence.Tolerance.Gain && gain < alpha => MetricVerdict.Faster,
            _ when evidence.PLossOfThreshold < alpha => MetricVerdict.Pass,
            _ => MetricVerdict.Inconclusive,
        };
}

/// <summary>What measurements say of a change of one metric. A gain is the logarithm of how many times better the metric became.</summary>
/// <param name="Tolerance">The threshold as gains.</param>
/// <param name="Gain">The estimate.</param>
/// <param name="PNoLoss">One-sided p-value against "it is as good or better".</param>
/// <param name="PNoGain">One-sided p-value against "it is as good or worse".</param>
/// <param name="PLossOfThreshold">One-sided p-value against "it lost the threshold or more".</param>
/// <param name="IsUnsteady">True when a side was not fit to measure: what it shows is not what was asked.</param>
internal sealed record ChangeEvidence(
    Tolerance Tolerance,
    double Gain,
    double PNoLoss,
    double PNoGain,
    double PLossOfThreshold,
    bool IsUnsteady
)
{
    /// <summary>The evidence of launches; null when the spread between them is unknown.</summary>
    public static ChangeEvidence? Of(RatioEstimate ratio, Tolerance tolerance, bool isUnsteady)
    {
        if (ratio.Spread == SpreadSource.Unknown)
        {
            return null;
        }

        bool isUp = tolerance.IsHigherBetter;
        return new ChangeEvidence(
            tolerance,
            isUp ? ratio.Shift : -ratio.Shift,
            isUp ? ratio.PBelow(0) : ratio.PAbove(0),
            isUp ? ratio.PAbove(0) : ratio.PBelow(0),
            isUp ? ratio.PAbove(tolerance.Loss) : ratio.PBelow(-tolerance.Loss),
            isUnsteady
        );
    }
}

/// <summary>A threshold of a metric as gains of logarithms.</summary>
/// <param name="Threshold">Relative change: 0.05 is 5 %.</param>
/// <param name="IsHigherBetter">The metric's direction.</param>
internal readonly record struct Tolerance(double Threshold, bool IsHigherBetter)
{
    /// <summary>The threshold of a metric that has a better direction.</summary>
    public static Tolerance Of(double threshold, Direction direction) => new(threshold, direction == Direction.HigherIsBetter);

    /// <summary>The gain of a metric that lost exactly the threshold: a rate fell by it, a time rose by it. Below 0.</summary>
    public double Loss => IsHigherBetter ? Math.Log(1 - Threshold) : -Math.Log(1 + Threshold);

    /// <summary>The gain of a metric that became better by exactly the threshold.</summary>
    public double Gain => IsHigherBetter ? Math.Log(1 + Threshold) : -Math.Log(1 - Threshold);

    /// <summary>A gain as the relative loss that a threshold is about; below 0 when it is one.</summary>
    public double ToLoss(double gain) => IsHigherBetter ? 1 - Math.Exp(gain) : Math.Exp(-gain) - 1;
}
