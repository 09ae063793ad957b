namespace Llama3Perf.Results.Rows;

/// <summary>How the verification of a case's answers ended.</summary>
public enum VerificationStatus
{
    /// <summary>The case computes the reference itself: <c>ort</c> on the CPU.</summary>
    Reference,

    /// <summary>Its answers are within the limits.</summary>
    Passed,

    /// <summary>They are not: the case has failed, and nothing of it was timed.</summary>
    Failed,

    /// <summary>There is nothing to hold them against; the detail says why.</summary>
    Unverified,

    /// <summary>It was turned off.</summary>
    Off,
}

/// <summary>What a case answered to fixed prompts before it was timed, held against <c>ort</c> on the CPU, or against a file. Unknown is
/// null.</summary>
public sealed record VerificationOutcome
{
    /// <summary>Nothing is known.</summary>
    public static VerificationOutcome Unknown { get; } = new();

    /// <summary>How it ended: <c>reference</c>, <c>passed</c>, <c>failed</c>, <c>unverified</c> or <c>off</c>.</summary>
    public VerificationStatus? Status { get; init; }

    /// <summary>Mean Kullback-Leibler divergence of the reference's distribution from the case's over all positions, nats. Unknown where
    /// the engine gives no logits.</summary>
    public double? KlNats { get; init; }

    /// <summary>The largest such divergence that was tolerated, nats.</summary>
    public double? KlLimitNats { get; init; }

    /// <summary>Positions at which both sides prefer the same token, percent.</summary>
    public double? TopPercent { get; init; }

    /// <summary>What is to be known of it, one line: the reason, the first divergence.</summary>
    public string? Detail { get; init; }
}
