namespace Llama3Perf.Results.Statistics;

/// <summary>What is proven of a change of one metric of one case, at a threshold T and an error rate alpha.</summary>
public enum MetricVerdict
{
    /// <summary>The estimate is worse than T, and no change is excluded.</summary>
    Regression,

    /// <summary>None of the others is proven, or a side was not fit to measure.</summary>
    Inconclusive,

    /// <summary>A regression that a second measurement did not show again; it passes.</summary>
    NotConfirmed,

    /// <summary>A loss of T or more is excluded.</summary>
    Pass,

    /// <summary>The estimate is better than T, and no change is excluded; it passes.</summary>
    Faster,

    /// <summary>The metric has no better direction.</summary>
    NotJudged,
}
