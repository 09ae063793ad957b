using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>Exit codes of the gate.</summary>
public enum GateExitCode
{
    /// <summary>Every check passed.</summary>
    Pass = 0,

    /// <summary>At least one metric of one case became worse.</summary>
    Regression = 1,

    /// <summary>The runs cannot be compared, a case is missing or failed, or nothing was compared.</summary>
    Incomparable = 2,

    /// <summary>A check could not be decided, and that is to fail.</summary>
    Inconclusive = 3,

    /// <summary>An option is wrong. Given by the command line, never by a verdict.</summary>
    Usage = 64,
}

/// <summary>How one check came out.</summary>
public enum GateOutcome
{
    /// <summary>No regression beyond the threshold.</summary>
    Pass,

    /// <summary>A regression.</summary>
    Regression,

    /// <summary>A regression that a second measurement did not show again; it passes.</summary>
    NotConfirmed,

    /// <summary>Too few samples to decide.</summary>
    Inconclusive,
}

/// <summary>One metric of one case.</summary>
public sealed record GateCheck
{
    internal GateCheck(GatePair pair, GateOutcome outcome) => (Pair, Outcome) = (pair, outcome);

    /// <summary>Name of the case.</summary>
    public string CaseId => Pair.CaseId;

    /// <summary>The case.</summary>
    public CaseKey Case => Pair.Case;

    /// <summary>The metric.</summary>
    public Column<Sample> Metric => Pair.Metric;

    /// <summary>The run that spoke for the baseline.</summary>
    public string BaselineRunId => Pair.BaselineRunId;

    /// <summary>Iterations of the baseline.</summary>
    public int BaselineCount => Pair.Baseline.Count;

    /// <summary>Iterations of the current run.</summary>
    public int CurrentCount => Pair.Current.Count;

    /// <summary>Median of the baseline, in the metric's unit.</summary>
    public double BaselineMedian => Pair.Baseline.Median;

    /// <summary>Median of the current run, in the metric's unit.</summary>
    public double CurrentMedian => Pair.Current.Median;

    /// <summary>How it came out.</summary>
    public GateOutcome Outcome { get; init; }

    /// <summary>Current over baseline.</summary>
    public required RatioEstimate Ratio { get; init; }

    /// <summary>One-sided Mann-Whitney p-value; null when it was not tested.</summary>
    public double? P { get; init; }

    /// <summary>The same after Holm's correction.</summary>
    public double? AdjustedP { get; init; }

    /// <summary>Why it is inconclusive; else null.</summary>
    public string? Reason { get; init; }

    /// <summary>The second measurement of what was red; null when there was none.</summary>
    public GateCheck? Confirmation { get; init; }

    internal GatePair Pair { get; }
}

/// <summary>What else the gate found.</summary>
public enum GateFindingKind
{
    /// <summary>A case or a metric is missing or failed on a side. Fails.</summary>
    Missing,

    /// <summary>The runs differ in more than what is compared. Fails.</summary>
    Incomparable,

    /// <summary>The same model folder, engine and provider gave other tokens. Fails when asked to.</summary>
    OutputChanged,

    /// <summary>Worth knowing; fails nothing.</summary>
    Note,
}

/// <summary>Something that the gate found besides its checks.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="CaseId">The case; null when it concerns the runs.</param>
/// <param name="Message">One line.</param>
public sealed record GateFinding(GateFindingKind Kind, string? CaseId, string Message);

/// <summary>What the gate decided, and on what grounds.</summary>
public sealed record GateVerdict
{
    /// <summary>The options that it was decided under.</summary>
    public required GateOptions Options { get; init; }

    /// <summary>Run ids of the baseline.</summary>
    public required IReadOnlyList<string> BaselineRunIds { get; init; }

    /// <summary>Run id of the current side.</summary>
    public required string CurrentRunId { get; init; }

    /// <summary>The field that the sides differ in; empty when they differ in none.</summary>
    public IReadOnlyList<string> Vary { get; init; } = [];

    /// <summary>Every metric of every case that was compared, worst first.</summary>
    public IReadOnlyList<GateCheck> Checks { get; init; } = [];

    /// <summary>Everything else that was found.</summary>
    public IReadOnlyList<GateFinding> Findings { get; init; } = [];

    /// <summary>The exit code that follows.</summary>
    public GateExitCode ExitCode => GateRule.Exit(this);

    /// <summary>The cases with a regression: what is measured again to confirm it.</summary>
    public IReadOnlyList<CaseKey> RedCases =>
        [.. Checks.Where(check => check.Outcome == GateOutcome.Regression).DistinctBy(check => check.CaseId, StringComparer.Ordinal).Select(check => check.Case)];
}
