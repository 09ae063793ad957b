using System.Globalization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>
/// The gate for a measurement that goes on until it is decided. Both sides are launched in blocks (baseline, current, current,
/// baseline); each block gives one ratio of each metric, in which what drifts over the minutes cancels. The verdicts may be looked
/// at after every block, as often as one likes and however long one goes on: each has the gate's error rate over all looks together
/// (<see cref="SequentialTTest"/>). They mean what the gate's mean, by the same <see cref="VerdictRule"/>. A verdict once reached
/// stays; only a pass may yet turn out to be faster.
/// <code>
/// SequentialGate gate = new(caseIds, options);
/// while (gate.Undecided.Count > 0 &amp;&amp; budget is left)
///     foreach (string caseId in gate.Undecided) { measure; gate.AddBlock(caseId, baselineSamples, currentSamples, unsteady); }
/// </code>
/// </summary>
public sealed class SequentialGate
{
    private readonly GateOptions _options;
    private readonly List<Entry> _entries;

    /// <summary>A gate of cases. All must be named before the first block, since Holm's correction is over all of them.</summary>
    /// <param name="caseIds">Names of the cases, at least one, each once.</param>
    /// <param name="options">Metrics, threshold and alpha; the rest is the gate's alone.</param>
    /// <exception cref="OptionException">An option is out of range or unknown.</exception>
    /// <exception cref="ArgumentException">There is no case, or one is named twice.</exception>
    public SequentialGate(IReadOnlyList<string> caseIds, GateOptions options)
    {
        IReadOnlyList<Column<Sample>> metrics = GateOptions.Check(options);
        if (caseIds.Count == 0 || caseIds.Distinct(StringComparer.Ordinal).Count() < caseIds.Count)
        {
            throw new ArgumentException("A sequential gate needs a case, and each once.", nameof(caseIds));
        }

        _options = options;
        _entries =
        [
            .. from caseId in caseIds
            from metric in metrics
            select new Entry(caseId, metric, new BlockSequence(Tolerance.Of(options.Threshold, metric.Direction))),
        ];
    }

    /// <summary>What it judges by.</summary>
    public GateOptions Options => _options;

    /// <summary>The cases of which a metric is not decided yet: what to measure next. In the order they were named.</summary>
    public IReadOnlyList<string> Undecided =>
        [.. _entries.Where(entry => entry.Decided is null).Select(entry => entry.CaseId).Distinct(StringComparer.Ordinal)];

    /// <summary>Every metric of every case as it stands.</summary>
    public IReadOnlyList<SequentialCheck> Checks => [.. _entries.Zip(Judge(), Check)];

    /// <summary>Adds a block of a case, and decides what it decides.</summary>
    /// <param name="caseId">The case.</param>
    /// <param name="baseline">Samples of the block's launches of the baseline.</param>
    /// <param name="current">Samples of its launches of the current side.</param>
    /// <param name="unsteady">Why the machine was not fit to measure during the block; such a block is counted and is no evidence.</param>
    /// <exception cref="ArgumentException">The case was not named.</exception>
    public void AddBlock(string caseId, IReadOnlyList<Sample> baseline, IReadOnlyList<Sample> current, string? unsteady = null)
    {
        Entry[] entries = [.. _entries.Where(entry => entry.CaseId == caseId)];
        if (entries.Length == 0)
        {
            throw new ArgumentException($"There is no case '{caseId}' in this gate.", nameof(caseId));
        }

        foreach (Entry entry in entries)
        {
            (LogSample before, LogSample now) = (LogSample.Of(baseline, entry.Metric), LogSample.Of(current, entry.Metric));
            if (unsteady is not null)
            {
                (entry.UnsteadyBlocks, entry.Unsteady) = (entry.UnsteadyBlocks + 1, unsteady);
            }
            else if (before.Count > 0 && now.Count > 0)
            {
                entry.Blocks.Add(now.LaunchMean - before.LaunchMean);
            }
        }

        foreach ((Entry entry, (MetricVerdict verdict, double? _)) in _entries.Zip(Judge()))
        {
            bool isNews = entry.Decided is null
                ? verdict != MetricVerdict.Inconclusive
                : (entry.Decided, verdict) is (MetricVerdict.Pass, MetricVerdict.Faster);
            entry.Decided = isNews ? verdict : entry.Decided;
        }
    }

    private IReadOnlyList<(MetricVerdict Verdict, double? AdjustedP)> Judge() =>
        VerdictRule.Judge([.. _entries.Select(entry => entry.Blocks.Evidence(isUnsteady: false))], _options.Alpha);

    private SequentialCheck Check(Entry entry, (MetricVerdict Verdict, double? AdjustedP) now)
    {
        BlockSequence blocks = entry.Blocks;
        MetricVerdict verdict = entry.Decided ?? MetricVerdict.Inconclusive;
        return new SequentialCheck(
            entry.CaseId,
            entry.Metric,
            blocks.Count,
            entry.UnsteadyBlocks,
            blocks.Count == 0 ? null : Math.Exp(blocks.LogRatio),
            blocks.Interval(_options.Alpha),
            verdict,
            now.AdjustedP,
            verdict == MetricVerdict.Inconclusive ? WhatWouldDecide(entry) : null
        );
    }

    private string WhatWouldDecide(Entry entry)
    {
        string unsteady =
            entry.UnsteadyBlocks == 0 ? ""
            : entry.UnsteadyBlocks == 1 ? $"1 block does not count ({entry.Unsteady}); "
            : $"{entry.UnsteadyBlocks} blocks do not count ({entry.Unsteady}); ";
        if (entry.Blocks.Count < 2)
        {
            string measured = entry.Blocks.Count == 0 ? "no block" : "1 block";
            return $"{unsteady}{measured} with {entry.Metric.Name} on both sides; two show a spread, and a few more decide";
        }

        string spread = string.Create(CultureInfo.InvariantCulture, $"blocks spread by {Math.Sqrt(entry.Blocks.Variance) * 100:0.0##} %");
        return entry.Blocks.BlocksToDecide(_options.Alpha, _entries.Count) is { } blocks
            ? $"{unsteady}not decided after {entry.Blocks.Count} blocks; about {blocks} would decide ({spread})"
            : $"{unsteady}not decided after {entry.Blocks.Count} blocks; more than {BlockSequence.MostBlocks} would be needed ({spread}): "
                + "measure on a quieter machine or raise the threshold";
    }

    private sealed record Entry(string CaseId, Column<Sample> Metric, BlockSequence Blocks)
    {
        public MetricVerdict? Decided { get; set; }

        public int UnsteadyBlocks { get; set; }

        public string? Unsteady { get; set; }
    }
}

/// <summary>One metric of one case of a sequential gate.</summary>
/// <param name="CaseId">Name of the case.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Blocks">Blocks that it rests on.</param>
/// <param name="UnsteadyBlocks">Blocks that do not count, because the machine was not fit to measure.</param>
/// <param name="Ratio">Current over baseline; null without a block.</param>
/// <param name="Interval">Its interval, each end exceeded at any look with probability alpha; null while it is endless.</param>
/// <param name="Verdict">Regression, faster or pass once it is decided, until then inconclusive.</param>
/// <param name="AdjustedP">p-value of a loss that holds at every look, after Holm's correction; null with fewer than two blocks.</param>
/// <param name="Reason">Why it is inconclusive, and what would decide it; else null.</param>
public sealed record SequentialCheck(
    string CaseId,
    Column<Sample> Metric,
    int Blocks,
    int UnsteadyBlocks,
    double? Ratio,
    Interval? Interval,
    MetricVerdict Verdict,
    double? AdjustedP,
    string? Reason
)
{
    /// <summary>True when nothing more needs to be measured of it.</summary>
    public bool IsDecided => Verdict != MetricVerdict.Inconclusive;
}
