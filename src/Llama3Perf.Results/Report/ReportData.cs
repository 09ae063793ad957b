using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>What the charts and tables of a report show: the cases of its runs side by side.</summary>
internal sealed class ReportData
{
    /// <summary>The metrics that have bars and lines, with the names that people know them by.</summary>
    public static IReadOnlyList<(string Slug, string Title, Column<Sample> Metric)> Metrics { get; } =
    [
        .. new[] { "decode_tps", "ttft_ms", "prefill_tps" }
            .Select(SampleSchema.Metric)
            .Select(metric => (metric.Name.Split('_')[0], metric.Heading!.Name!, metric)),
    ];

    private const int MostBars = 4;

    /// <summary>Each end of an interval is exceeded with this probability: the 95 % that charts usually show.</summary>
    private const double Alpha = 0.025;

    private ReportData(IReadOnlyList<Run> runs) => (Runs, Rows) = (runs, [.. runs.SelectMany(Aggregates.Rows)]);

    /// <summary>The runs, the baseline first.</summary>
    public IReadOnlyList<Run> Runs { get; }

    /// <summary>What the sides may differ in; empty for nothing.</summary>
    public IReadOnlyList<string> Vary { get; init; } = [];

    /// <summary>What is shown side by side: a run each.</summary>
    public required IReadOnlyList<ReportSide> Sides { get; init; }

    /// <summary>True for more runs than bars show: a line is read at a glance, and so many bars are a fence.</summary>
    public bool IsMany => Sides.Count > MostBars;

    /// <summary>Short names of its cases.</summary>
    public required CaseNames Names { get; init; }

    /// <summary>The cases of all sides.</summary>
    public required IReadOnlyList<ReportCase> Cases { get; init; }

    /// <summary>The one field that the runs differ in; null when there is none, or the runs differ in more.</summary>
    public string? Varied { get; init; }

    /// <summary>Why the runs have no common scale, or null when they differ in one field at most.</summary>
    public string? Warning { get; init; }

    /// <summary>The rows of results.csv of all runs.</summary>
    public IReadOnlyList<ResultRow> Rows { get; }

    /// <summary>Sets runs side by side. Runs that differ in more than one field are matched by the names of their cases, and said to
    /// be.</summary>
    /// <param name="runs">The runs.</param>
    /// <param name="options">What they are compared over, and against which.</param>
    public static ReportData Of(IReadOnlyList<Run> runs, ReportOptions? options = null)
    {
        options ??= new ReportOptions();
        if (runs.Count == 0)
        {
            throw new ArgumentException("There is no run to report.", nameof(runs));
        }

        runs = RunComparison.BaselineFirst(runs, options.Baseline);
        var names = CaseNames.Among(
            runs.SelectMany(run => run.Cases).Where(outcome => outcome.Status != CaseStatus.Skipped).Select(outcome => outcome.Case)
        );
        try
        {
            CaseMatching matching = CaseMatching.Of(runs, options.Vary);
            names = names.Without(matching.Varied.Names);
            return new ReportData(runs)
            {
                Names = names,
                Sides =
                [
                    .. matching.Sides.Select(
                        (side, i) =>
                            new ReportSide(side.Run, i, side.Label, side.Varied is [var text, ..] ? CaseMatching.Shown(text) : null)
                    ),
                ],
                Cases =
                [
                    .. matching.Rows.Select(row => new ReportCase(
                        CaseMatching.NameOf(row),
                        [.. row.Select(found => found?.Outcome)],
                        names
                    )),
                ],
                Vary = matching.Varied.Names,
                Varied = matching.Varied.Names is [var name] && matching.Sides.Count > 1 ? name : null,
            };
        }
        catch (RunFileException e) when (options.Vary.Count == 0)
        {
            return new ReportData(runs)
            {
                Names = names,
                Sides = [.. runs.Select((run, i) => new ReportSide(run, i, run.Identity.ShownName(), null))],
                Cases = ByName(runs, names),
                Warning = $"Read the differences with care: {e.Message}.",
            };
        }
    }

    /// <summary>Median with its 95 % interval over launches of a metric; null when the side has none.</summary>
    public static MedianEstimate? Estimate(CaseOutcome? outcome, Column<Sample> metric)
    {
        if (outcome is not { Status: CaseStatus.Ok })
        {
            return null;
        }

        LogSample sample = LogSample.Of(outcome.Samples, metric);
        return sample.Count == 0 ? null : MedianEstimate.Of(sample, Alpha);
    }

    /// <summary>A number with four digits and its unit.</summary>
    public static string Text(double value, string unit) => $"{Figure.Text(value)} {unit}";

    private static ReportCase[] ByName(IReadOnlyList<Run> runs, CaseNames names)
    {
        ILookup<(string, int), (int Side, CaseOutcome Outcome)> found = runs.SelectMany(
                (run, side) =>
                    run.Cases.GroupBy(outcome => outcome.CaseId).SelectMany(twins => twins.Select((outcome, i) => (side, outcome, i)))
            )
            .ToLookup(entry => (entry.outcome.CaseId, entry.i), entry => (entry.side, entry.outcome));
        return
        [
            .. found.Select(entries => new ReportCase(
                entries.Key.Item1,
                [.. runs.Select((_, side) => entries.Where(entry => entry.Side == side).Select(entry => entry.Outcome).FirstOrDefault())],
                names
            )),
        ];
    }
}

/// <summary>What stands beside others: a run.</summary>
/// <param name="Run">The run.</param>
/// <param name="Index">Its position, from 0.</param>
/// <param name="Label">Its name, unique in the report.</param>
/// <param name="Varied">Text of the varied field, or null.</param>
internal sealed record ReportSide(Run Run, int Index, string Label, string? Varied)
{
    private const int LongestName = 28;

    /// <summary>What tells it from the others, in a few words; its whole name stands beside the charts and in the environment.</summary>
    public string ShortName => Cut(Varied ?? Label);

    /// <summary>The beginning of a long name.</summary>
    public static string Cut(string name) => name.Length <= LongestName ? name : $"{name[..(LongestName - 1)]}…";

    /// <summary>A, B … Z, AA: what stands beside the marks of this side, since names are long and colour alone does not tell
    /// everyone.</summary>
    public string Letter { get; } = LetterOf(Index);

    /// <summary>The letter of what is at a position, from 0.</summary>
    public static string LetterOf(int index) =>
        (index >= 26 ? ((char)('A' + (index / 26) - 1)).ToString() : "") + (char)('A' + (index % 26));
}

/// <summary>A case on all sides.</summary>
/// <param name="Name">Name of the case.</param>
/// <param name="Outcomes">For each side its outcome; null where it has none.</param>
/// <param name="Names">Short names among the cases of the report.</param>
internal sealed record ReportCase(string Name, IReadOnlyList<CaseOutcome?> Outcomes, CaseNames Names)
{
    /// <summary>What tells the case from the others; its whole name stands in the tables.</summary>
    public string ShortName => Names.Of(Key);

    /// <summary>What it is compared with others in: all but the precision and the engine.</summary>
    public string Group => Text(Names.Different.Except(s_series));

    /// <summary>The same without the quantity that a line is drawn over.</summary>
    public string GroupWithout(CaseField field) => Text(Names.Different.Except([.. s_series, field]));

    /// <summary>Its precision and engine, as far as cases differ in them.</summary>
    public string Series => Text(Names.Different.Intersect(s_series));

    /// <summary>The same where the block size is what a line is drawn over.</summary>
    public string SeriesWithoutBlock => $"{Key.Precision} {Text(Names.Different.Intersect([CaseField.Engine]))}".TrimEnd();

    /// <summary>True when a side has figures of it.</summary>
    public bool IsMeasured => Outcomes.Any(outcome => outcome?.Status == CaseStatus.Ok);

    /// <summary>Its value on an axis; null where it has none.</summary>
    public int? On(CaseAxis axis) => axis.Value(Key);

    private static readonly CaseField[] s_series = [CaseField.Precision, CaseField.Engine];

    private CaseKey Key => Outcomes.First(outcome => outcome is not null)!.Case;

    private string Text(IEnumerable<CaseField> parts) =>
        string.Join(' ', parts.Select(part => part.Text(Key)).Where(text => text.Length > 0));
}
