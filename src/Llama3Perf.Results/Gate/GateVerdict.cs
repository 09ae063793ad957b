using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>Exit codes of the gate.</summary>
public enum GateExitCode
{
    /// <summary>Every check is proven to be no loss of the threshold or more.</summary>
    Pass = 0,

    /// <summary>At least one metric of one case became worse, or its answers did.</summary>
    Regression = 1,

    /// <summary>The runs cannot be compared, a case is missing or failed, or nothing was compared.</summary>
    Incomparable = 2,

    /// <summary>Nothing is proven of a check, and that is to fail.</summary>
    Inconclusive = 3,

    /// <summary>An option is wrong. Given by the command line, never by a verdict.</summary>
    Usage = 64,
}

/// <summary>One metric of one case.</summary>
public sealed record GateCheck
{
    internal GateCheck(GatePair pair, MetricJudgement judgement) => (Pair, Judgement, Outcome) = (pair, judgement, judgement.Verdict);

    /// <summary>Name of the case.</summary>
    public string CaseId => Pair.CaseId;

    /// <summary>The case.</summary>
    public CaseKey Case => Pair.Case;

    /// <summary>The metric.</summary>
    public Column<Sample> Metric => Pair.Values.Metric;

    /// <summary>The run that spoke for the baseline, or the two in the middle of several.</summary>
    public string BaselineRunId => Pair.BaselineRunId;

    /// <summary>Iterations of the baseline.</summary>
    public int BaselineCount => Pair.Values.Baseline.Values.Count;

    /// <summary>Launches of the baseline.</summary>
    public int BaselineLaunches => Pair.Values.Baseline.Values.LaunchCount;

    /// <summary>Iterations of the current run.</summary>
    public int CurrentCount => Pair.Values.Current.Values.Count;

    /// <summary>Launches of the current run.</summary>
    public int CurrentLaunches => Pair.Values.Current.Values.LaunchCount;

    /// <summary>Median of the baseline, in the metric's unit.</summary>
    public double BaselineMedian => Pair.Values.Baseline.Values.Median;

    /// <summary>Median of the current run, in the metric's unit.</summary>
    public double CurrentMedian => Pair.Values.Current.Values.Median;

    /// <summary>What the two sides show.</summary>
    public MetricJudgement Judgement { get; init; }

    /// <summary>How it came out: the judgement's verdict, unless a second measurement changed it.</summary>
    public MetricVerdict Outcome { get; init; }

    /// <summary>Why it is inconclusive, and what would decide it; else null.</summary>
    public string? Reason
    {
        get => field ?? Judgement.Reason;
        init;
    }

    /// <summary>The second measurement of what was red; null when there was none.</summary>
    public GateCheck? Confirmation { get; init; }

    internal GatePair Pair { get; }
}

/// <summary>What else the gate found.</summary>
public enum GateFindingKind
{
    /// <summary>The current answers are further from their reference than is tolerated. Fails as a regression does.</summary>
    WrongAnswer,

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

    /// <summary>
    /// The exit code that follows. A regression that was found stands whatever else is missing; a hole in the comparison outranks
    /// doubt; and nothing compared is never a pass.
    /// </summary>
    public GateExitCode ExitCode => ExitCodeOf([.. Checks.Select(check => check.Outcome)], Findings, Options);

    internal static GateExitCode ExitCodeOf(IReadOnlyList<MetricVerdict> outcomes, IReadOnlyList<GateFinding> findings, GateOptions options)
    {
        return outcomes switch
        {
            _ when outcomes.Contains(MetricVerdict.Regression) || Has(GateFindingKind.WrongAnswer) => GateExitCode.Regression,
            _ when Has(GateFindingKind.Missing) || Has(GateFindingKind.Incomparable) => GateExitCode.Incomparable,
            _ when Has(GateFindingKind.OutputChanged) && options.OutputChangeFails => GateExitCode.Incomparable,
            [] => GateExitCode.Incomparable,
            _ when outcomes.Contains(MetricVerdict.Inconclusive) && options.InconclusiveFails => GateExitCode.Inconclusive,
            _ => GateExitCode.Pass,
        };

        bool Has(GateFindingKind kind) => findings.Any(finding => finding.Kind == kind);
    }

    /// <summary>The cases with a regression: what is measured again to confirm it.</summary>
    public IReadOnlyList<CaseKey> RedCases =>
        [
            .. Checks
                .Where(check => check.Outcome == MetricVerdict.Regression)
                .DistinctBy(check => check.CaseId, StringComparer.Ordinal)
                .Select(check => check.Case),
        ];
}

/// <summary>A metric of a case on both sides of the gate.</summary>
/// <param name="CaseId">Name of the case.</param>
/// <param name="Case">The case, as the current side measured it.</param>
/// <param name="BaselineRunId">The run that speaks for the baseline.</param>
/// <param name="Values">Its values and the current ones.</param>
internal sealed record GatePair(string CaseId, CaseKey Case, string BaselineRunId, MetricPair Values);
