using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>Compares the metrics of one matched case over all sides.</summary>
internal sealed class CaseComparer
{
    /// <summary>With fewer a verdict would be a guess.</summary>
    public const int LeastSamples = 5;

    private readonly KeyedCase?[] _row;
    private readonly IReadOnlyList<ComparedSide> _sides;
    private readonly ComparisonOptions _options;
    private readonly bool[] _usable;
    private readonly List<UnmatchedCase> _unmatched = [];

    public CaseComparer(IReadOnlyList<ComparedSide> sides, KeyedCase?[] row, ComparisonOptions options)
    {
        (_sides, _row, _options) = (sides, row, options);
        _usable = [.. row.Select(NoteProblem)];
    }

    /// <summary>What could not be compared so far.</summary>
    public IReadOnlyList<UnmatchedCase> Unmatched => _unmatched;

    /// <summary>The row of one metric, or null when no side has it.</summary>
    public ComparedMetric? Compare(Column<Sample> metric)
    {
        LogSample?[] samples = [.. _row.Select((found, i) => _usable[i] ? LogSample.Of(found!.Outcome.Samples, metric) : null)];
        for (int i = 0; i < samples.Length; i++)
        {
            if (samples[i] is { Count: 0 })
            {
                samples[i] = null;
                Note(i, $"no {metric.Name} was measured");
            }
        }

        KeyedCase first = _row.First(found => found is not null)!;
        return samples.All(sample => sample is null)
            ? null
            : new ComparedMetric(first.Outcome.CaseId, first.Outcome.Case, metric, [.. samples.Select((sample, i) => Cell(samples[0], sample, i, metric.Direction))]);
    }

    /// <summary>The verdict on a ratio. The interval of confidence c within the threshold both ways is a test of equivalence at (1 - c) / 2.</summary>
    public static ComparisonVerdict Judge(Interval? interval, Direction direction, double threshold)
    {
        if (direction == Direction.None)
        {
            return ComparisonVerdict.NotJudged;
        }

        bool higherIsBetter = direction == Direction.HigherIsBetter;
        return interval switch
        {
            null => ComparisonVerdict.Inconclusive,
            _ when interval.Low >= 1 - threshold && interval.High <= 1 + threshold => ComparisonVerdict.Same,
            { Low: > 1 } => higherIsBetter ? ComparisonVerdict.Faster : ComparisonVerdict.Slower,
            { High: < 1 } => higherIsBetter ? ComparisonVerdict.Slower : ComparisonVerdict.Faster,
            _ => ComparisonVerdict.Inconclusive,
        };
    }

    private ComparedCell? Cell(LogSample? baseline, LogSample? sample, int side, Direction direction)
    {
        if (sample is null)
        {
            return null;
        }

        MedianEstimate median = MedianEstimate.Of(sample, _options.Confidence);
        if (side == 0 || baseline is null)
        {
            return new ComparedCell(median, sample.Count, sample.LaunchCount, Ratio: null, Verdict: null);
        }

        RatioEstimate ratio = RatioEstimate.Of(baseline, sample, _options.Confidence);
        bool isEnough = baseline.Count >= LeastSamples && sample.Count >= LeastSamples;
        return new ComparedCell(median, sample.Count, sample.LaunchCount, ratio, Judge(isEnough ? ratio.Interval : null, direction, _options.Threshold));
    }

    private bool NoteProblem(KeyedCase? found, int side)
    {
        string? problem = found is null ? "not in this run" : found.Problem();
        if (problem is not null)
        {
            Note(side, problem);
        }

        return problem is null;
    }

    private void Note(int side, string reason) => _unmatched.Add(new UnmatchedCase(_sides[side].Label, CaseMatching.NameOf(_row), reason));
}
