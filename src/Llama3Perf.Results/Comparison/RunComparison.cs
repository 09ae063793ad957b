using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>A metric of a case on one side.</summary>
/// <param name="Median">Median with its interval.</param>
/// <param name="SampleCount">Iterations that it rests on.</param>
/// <param name="LaunchCount">Launches that they came from.</param>
/// <param name="Judgement">What this side over the baseline shows; null for the baseline itself, or when that has no such case.</param>
/// <param name="Unsteady">Why the machine was not fit to measure it; null when it was, or nothing is known.</param>
public sealed record ComparedCell(MedianEstimate Median, int SampleCount, int LaunchCount, MetricJudgement? Judgement, string? Unsteady);

/// <summary>A metric of a case on all sides: one row of the table.</summary>
/// <param name="CaseId">Name of the case on the first side that has it.</param>
/// <param name="Case">The case on that side.</param>
/// <param name="Metric">The metric.</param>
/// <param name="Cells">For each side its figures; null where it has none.</param>
public sealed record ComparedMetric(string CaseId, CaseKey Case, Column<Sample> Metric, IReadOnlyList<ComparedCell?> Cells)
{
    /// <summary>The worst change of any side against the baseline, as the logarithm of how many times better it is: negative is worse. Null
    /// when there is none.</summary>
    public double? WorstGain =>
        Metric.Direction == Direction.None
            ? null
            : Cells.Min(cell =>
                cell?.Judgement is { } judged
                    ? Math.Log(judged.Ratio.Ratio) * (Metric.Direction == Direction.HigherIsBetter ? 1 : -1)
                    : (double?)null
            );
}

/// <summary>Runs held against one of them, case by case and metric by metric.</summary>
public sealed record RunComparison
{
    /// <summary>How they were compared.</summary>
    public required ComparisonOptions Options { get; init; }

    /// <summary>The fields that the sides may differ in: given, or the one found; empty when the runs differ in none.</summary>
    public required IReadOnlyList<string> Vary { get; init; }

    /// <summary>The columns of the table; the first is the baseline.</summary>
    public required IReadOnlyList<ComparedSide> Sides { get; init; }

    /// <summary>The rows of the table, worst first.</summary>
    public required IReadOnlyList<ComparedMetric> Rows { get; init; }

    /// <summary>Cases that a side lacks, or that failed there, or whose metric is unknown there.</summary>
    public required IReadOnlyList<UnmatchedCase> Unmatched { get; init; }

    /// <summary>Where the sides' answers differ, a line each.</summary>
    public IReadOnlyList<string> AnswerChanges { get; init; } = [];

    /// <summary>Compares runs.</summary>
    /// <param name="runs">Two or more; one is enough when a field that its own cases differ in is varied.</param>
    /// <param name="options">How.</param>
    /// <exception cref="RunFileException">The runs cannot be compared; the message names the fields they differ in. Exit code
    /// 2.</exception>
    /// <exception cref="OptionException">An option is out of range or unknown. Exit code 64.</exception>
    public static RunComparison Of(IReadOnlyList<Run> runs, ComparisonOptions options)
    {
        IReadOnlyList<Column<Sample>> metrics = ComparisonOptions.Check(options);
        CheckRuns(runs, options);
        CaseMatching matching = CaseMatching.Of(BaselineFirst(runs, options.Baseline), options.Vary);
        if (matching.Sides.Count < 2)
        {
            throw new RunFileException(
                $"run {runs[0].Identity.RunId} alone has nothing to be compared with; give a second run, or --vary a field that its cases "
                    + "differ in"
            );
        }

        options.Noise?.RequireMachine(matching.Sides.Select(side => side.Run));
        List<UnmatchedCase> unmatched = [];
        List<MeasuredMetric> measured = [];
        List<string> answers = [];
        foreach (KeyedCase?[] row in matching.Rows)
        {
            CaseComparer comparer = new(matching.Sides, row, options.Noise);
            measured.AddRange(metrics.Select(comparer.Measured).OfType<MeasuredMetric>());
            unmatched.AddRange(comparer.Unmatched);
            answers.AddRange(comparer.AnswerChanges());
            LargeRuns.GiveBack();
        }

        return new RunComparison
        {
            Options = options,
            Vary = matching.Varied.Names,
            Sides = matching.Sides,
            Rows = [.. Judge(measured, matching.Sides.Count, options).OrderBy(row => row.WorstGain ?? double.MaxValue)],
            Unmatched = unmatched,
            AnswerChanges = answers,
        };
    }

    /// <summary>Each side is judged against the first as the gate would: its gated metrics are one family, the others another.</summary>
    private static IEnumerable<ComparedMetric> Judge(List<MeasuredMetric> measured, int sides, ComparisonOptions options)
    {
        ComparedCell?[][] cells = [.. measured.Select(row => row.Sides.Select(Cell).ToArray())];
        for (int side = 1; side < sides; side++)
        {
            foreach (
                IGrouping<bool, int> family in Enumerable
                    .Range(0, measured.Count)
                    .Where(i => measured[i].Sides[0] is not null && measured[i].Sides[side] is not null)
                    .GroupBy(i => ComparisonOptions.GatedMetrics.Contains(measured[i].Metric.Name))
            )
            {
                MetricPair[] pairs =
                [
                    .. family.Select(i => new MetricPair(measured[i].Metric, measured[i].Sides[0]!, measured[i].Sides[side]!)),
                ];
                foreach ((int i, MetricJudgement judgement) in family.Zip(MetricPair.Judge(pairs, options.Threshold, options.Alpha)))
                {
                    cells[i][side] = cells[i][side]! with { Judgement = judgement };
                }
            }
        }

        return measured.Select((row, i) => new ComparedMetric(row.CaseId, row.Case, row.Metric, cells[i]));

        ComparedCell? Cell(MeasuredSide? side) =>
            side is null
                ? null
                : new ComparedCell(
                    MedianEstimate.Of(side.Values, options.Alpha),
                    side.Values.Count,
                    side.Values.LaunchCount,
                    Judgement: null,
                    side.Unsteady
                );
    }

    private static void CheckRuns(IReadOnlyList<Run> runs, ComparisonOptions options)
    {
        if (runs.Count == 0)
        {
            throw new ArgumentException("There is no run to compare.", nameof(runs));
        }

        Run? twice = runs.GroupBy(run => run.Identity.RunId, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1)?.Last();
        if (twice is not null && !options.AllowSameRun)
        {
            throw new RunFileException(
                $"{twice.Source ?? twice.Identity.RunId}: run {twice.Identity.RunId} is given twice; leave one out, or ask for an A/A "
                    + "comparison"
            );
        }
    }

    /// <summary>The runs with the baseline in front.</summary>
    /// <exception cref="OptionException">There is no such run.</exception>
    internal static List<Run> BaselineFirst(IReadOnlyList<Run> runs, string? baseline)
    {
        int index = baseline is null ? 0 : IndexOf(runs, baseline);
        return [runs[index], .. runs.Where((_, i) => i != index)];
    }

    private static int IndexOf(IReadOnlyList<Run> runs, string baseline)
    {
        for (int i = 0; i < runs.Count; i++)
        {
            if (runs[i].Identity.RunId == baseline || runs[i].Source == baseline)
            {
                return i;
            }
        }

        return int.TryParse(baseline, out int position) && position >= 1 && position <= runs.Count
            ? position - 1
            : throw new OptionException(
                $"There is no run '{baseline}'; the baseline is one of {string.Join(", ", runs.Select(run => run.Identity.RunId))}, or its "
                    + "position from 1."
            );
    }
}
