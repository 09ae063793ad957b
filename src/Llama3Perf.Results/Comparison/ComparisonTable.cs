using System.Globalization;
using System.Text;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Comparison;

/// <summary>A comparison as people read it.</summary>
public static class ComparisonTable
{
    /// <summary>So many cases that share a reason are named.</summary>
    private const int MostNamed = 3;

    /// <summary>The column that names metrics, for every table that has them.</summary>
    internal static TextColumn Metric { get; } = new("metric", IsNumber: false);

    /// <summary>The column of ratios.</summary>
    internal static TextColumn Ratio { get; } = new("ratio", IsNumber: true);

    /// <summary>The column of verdicts.</summary>
    internal static TextColumn Verdict { get; } = new("verdict", IsNumber: false);

    /// <summary>The table: one column a side with medians and intervals, and one for each but the first with its ratio to the
    /// baseline.</summary>
    public static TextTable Of(RunComparison comparison)
    {
        List<TextColumn> columns = [SummaryTable.Case, Metric];
        columns.AddRange(
            comparison.Sides.SelectMany(
                (side, i) =>
                    i == 0
                        ? [new TextColumn($"{side.Label} (baseline)", IsNumber: true)]
                        : new[] { new TextColumn(side.Label, IsNumber: true), Ratio, Verdict }
            )
        );
        return new TextTable(columns, [.. comparison.Rows.Select(Cells)]);
    }

    /// <summary>GitHub-flavoured markdown: what is compared, the table, and the cases that could not be compared.</summary>
    public static string Markdown(RunComparison comparison)
    {
        StringBuilder text = new("# Comparison\n\n");
        string subject =
            comparison.Vary.Count == 0 ? "runs that differ in no key field" : $"runs over {string.Join(", ", comparison.Vary)}";
        text.Append(CultureInfo.InvariantCulture, $"{comparison.Sides.Count} {subject}, worst first. ");
        text.Append(
            CultureInfo.InvariantCulture,
            $"Medians and ratios with the interval over launches, each end at {Percent(comparison.Options.Alpha)}; pass: a loss of "
                + $"{Percent(comparison.Options.Threshold)} is excluded.\n\n"
        );
        foreach (string line in Summary(comparison))
        {
            text.Append("- ").Append(MarkdownTable.Escape(line)).Append('\n');
        }

        text.Append('\n').Append(MarkdownTable.Write(Of(comparison)));
        foreach (string note in Notes(comparison))
        {
            text.Append("\n- ").Append(MarkdownTable.Escape(note));
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>Each side against the baseline over all cases, a line for each metric that has a direction: the geometric mean, and how
    /// many are faster, slower, the same or unclear.</summary>
    public static IReadOnlyList<string> Summary(RunComparison comparison) =>
        [
            .. from side in Enumerable.Range(1, comparison.Sides.Count - 1)
            from metric in comparison.Rows.GroupBy(row => row.Metric)
            where metric.Key.Direction != Direction.None
            let judged = metric.Select(row => row.Cells[side]?.Judgement).OfType<MetricJudgement>().ToArray()
            where judged.Length > 0
            orderby side, comparison.Options.Metrics.ToList().IndexOf(metric.Key.Name)
            select Summary(comparison, comparison.Sides[side], metric.Key, judged),
        ];

    private static string Summary(RunComparison comparison, ComparedSide side, Column<Sample> metric, MetricJudgement[] judged)
    {
        var mean = MeanRatio.Of([.. judged.Select(one => one.Ratio)], comparison.Options.Alpha);
        string interval = mean.Interval is { } i ? string.Create(CultureInfo.InvariantCulture, $" [{i.Low:0.000}, {i.High:0.000}]") : "";
        string counts = string.Join(
            ", ",
            new[]
            {
                (MetricVerdict.Faster, "faster"),
                (MetricVerdict.Regression, "slower"),
                (MetricVerdict.Pass, "same"),
                (MetricVerdict.Inconclusive, "unclear"),
            }.Select(kind => $"{judged.Count(one => one.Verdict == kind.Item1)} {kind.Item2}")
        );
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{side.Label}: {metric.Name} {mean.Ratio:0.000}x{interval} in the geometric mean over {judged.Length} "
                + $"{(judged.Length == 1 ? "case" : "cases")}: {counts}"
        );
    }

    /// <summary>What has to be known to read the table, a line each: where the spread comes from, synthetic weights, what would decide the
    /// inconclusive, and every case that is not in it.</summary>
    public static IReadOnlyList<string> Notes(RunComparison comparison)
    {
        List<string> notes = [];
        if (comparison.Rows.SelectMany(row => row.Cells).Any(cell => cell?.Judgement?.Ratio.Spread == SpreadSource.NoiseRecord))
        {
            notes.Add("* the interval has the spread between launches from the noise record: the launches are too few");
        }

        if (comparison.Rows.Any(row => row.Case.Weights == "synthetic"))
        {
            notes.Add("weights are synthetic: speed is real, text is noise");
        }

        notes.AddRange(comparison.AnswerChanges);
        notes.AddRange(comparison.Sides.SelectMany(side => side.Run.Remarks).Distinct(StringComparer.Ordinal));
        notes.AddRange(
            comparison
                .Rows.SelectMany(row => row.Cells.Zip(comparison.Sides, (cell, side) => (row, side, cell?.Judgement?.Reason)))
                .Where(judged => judged.Reason is not null)
                .GroupBy(judged => (judged.side.Label, judged.Reason), judged => judged.row)
                .Select(same => $"inconclusive: {Figures([.. same])} in {same.Key.Label}: {same.Key.Reason}")
        );
        notes.AddRange(
            comparison.Unmatched.Select(unmatched => $"not compared: {unmatched.CaseId} in {unmatched.Side}: {unmatched.Reason}")
        );
        return notes;
    }

    /// <summary>What a reason is of: metrics of cases or, of many cases, how many.</summary>
    private static string Figures(ComparedMetric[] rows)
    {
        IGrouping<string, ComparedMetric>[] cases = [.. rows.GroupBy(row => row.CaseId, StringComparer.Ordinal)];
        return cases.Length > MostNamed
            ? string.Create(CultureInfo.InvariantCulture, $"{rows.Length} figures of {cases.Length} cases")
            : string.Join("; ", cases.Select(found => $"{found.Key} {string.Join(", ", found.Select(row => row.Metric.Name))}"));
    }

    internal static string Percent(double part) => (part * 100).ToString("0.###", CultureInfo.InvariantCulture) + " %";

    internal static string RatioText(MetricJudgement judged) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{judged.Ratio.Ratio:0.000}{(judged.Interval is { } i ? $" [{i.Low:0.000}, {i.High:0.000}]" : "")}"
                + $"{(judged.Ratio.Spread == SpreadSource.NoiseRecord ? "*" : "")}"
        );

    private static List<string> Cells(ComparedMetric row)
    {
        List<string> cells = [row.CaseId, row.Metric.Name];
        for (int side = 0; side < row.Cells.Count; side++)
        {
            ComparedCell? cell = row.Cells[side];
            cells.Add(cell is null ? "" : MedianText(cell.Median));
            if (side > 0)
            {
                cells.Add(cell?.Judgement is { } judged ? RatioText(judged) : "");
                cells.Add(cell?.Judgement is { } found ? Word(found.Verdict) : "");
            }
        }

        return cells;
    }

    private static string MedianText(MedianEstimate median) =>
        median.Interval is { } interval
            ? $"{Figure.Text(median.Median)} [{Figure.Text(interval.Low)}, {Figure.Text(interval.High)}]"
            : Figure.Text(median.Median);

    internal static string Word(MetricVerdict verdict) =>
        verdict switch
        {
            MetricVerdict.NotJudged => "not judged",
            MetricVerdict.NotConfirmed => "not confirmed",
            _ => verdict.ToString().ToLowerInvariant(),
        };
}
