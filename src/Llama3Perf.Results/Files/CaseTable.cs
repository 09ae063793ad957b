using System.Globalization;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>The cases of a run as people read them: what all share, said once, and one line for each case that was tried.</summary>
public sealed class CaseTable
{
    private const int LongestText = 24;
    private const int ShortText = 11;
    private const double NoisyPercent = 10;

    private const int LastOfPage = 4;

    private static readonly StatisticColumn[] s_measured =
    [
        .. ResultSchema.Statistics.Where(column =>
            column.Heading is not null && !column.Name.EndsWith(StatisticColumn.DeviationSuffix, StringComparison.Ordinal)
        ),
    ];

    private static readonly StatisticColumn s_decode = Array.Find(s_measured, column => column.Heading!.WithDeviation)!;
    private static readonly StatisticColumn s_spread = ResultSchema.Statistics.First(column =>
        column.Name == s_decode.Source.Name + StatisticColumn.DeviationSuffix
    );
    private static readonly Column<ResultRow> s_new = ResultSchema.Column("n_gen");

    private readonly IReadOnlyList<ResultRow> _rows;
    private readonly CaseNames _names;

    private CaseTable(IReadOnlyList<ResultRow> rows)
    {
        _rows = [.. rows.Where(row => row.Status != CaseStatus.Skipped)];
        _names = CaseNames.Among(_rows.Select(row => row.Case));
    }

    /// <summary>The table of some rows; skipped cases have no line.</summary>
    public static CaseTable Of(IReadOnlyList<ResultRow> rows) => new(rows);

    /// <summary>True when no case was tried.</summary>
    public bool IsEmpty => _rows.Count == 0;

    /// <summary>What all cases share, in a line.</summary>
    public string Shared
    {
        get
        {
            ResultRow first = _rows[0];
            IEnumerable<string> same = CaseField
                .All.Except(_names.Different)
                .Select(shared => Said(shared, first.Case))
                .Where(text => text.Length > 0);
            string version =
                first.Environment.OrtVersion is { } ort && _rows.All(row => row.Case.Engine is "ort" or "genai")
                    ? $"ONNX Runtime {ort}"
                    : "";
            string tokens =
                NewTokens(first) is { Length: > 0 } count && _rows.All(row => NewTokens(row) == count) ? $"{count} new tokens" : "";
            string machine = first.Case.Provider == "cpu" ? first.Environment.CpuName ?? "" : first.Environment.GpuName ?? "";
            return string.Join(", ", same.Concat([tokens, version, machine, Counts()]).Where(text => text.Length > 0));
        }
    }

    /// <summary>All columns, what tells the cases apart first.</summary>
    public IReadOnlyList<RankedColumn> Columns
    {
        get
        {
            IEnumerable<RankedColumn> columns =
            [
                .. _names.Naming.Select(name => Column(name.Name, name.Name, 0, false, row => Cut(PromptText(name, row.Case)))),
                .. s_measured.SelectMany(Measured),
                Column("memory", "memory", 5, true, row => row.MemoryBandwidthPercent is { } percent ? Invariant($"{percent:0} %") : ""),
                Column("note", "note", 2, false, Note),
            ];
            return [.. columns.Where(column => column.Cells.Any(cell => cell.Length > 0))];
        }
    }

    /// <summary>The table at a width: short headings first, then without the least important columns, then with shorter texts. A number is
    /// never cut.</summary>
    /// <param name="width">Characters of a line.</param>
    /// <param name="unit">What to say beside <see cref="Shared"/> where the headings have no units.</param>
    public TextTable Fit(int width, out string unit)
    {
        unit = "";
        List<RankedColumn> columns = [.. Columns];
        if (Width(columns) > width)
        {
            columns = [.. columns.Select(column => column with { Header = column.ShortHeader })];
            unit = ", TTFT in ms, rates in tok/s";
        }

        Drop(columns, width, LastOfPage);
        columns = CutTexts(columns, width, ShortText);
        Drop(columns, width, 0);
        return ToTable(CutTexts(columns, width, shortest: 4));
    }

    private static void Drop(List<RankedColumn> columns, int width, int kept)
    {
        while (Width(columns) > width && columns.MaxBy(column => column.Rank) is { } least && least.Rank > kept)
        {
            columns.Remove(least);
        }
    }

    private static List<RankedColumn> CutTexts(List<RankedColumn> columns, int width, int shortest)
    {
        for (int longest = LongestText; longest >= shortest && Width(columns) > width; longest--)
        {
            columns =
            [
                .. columns.Select(column =>
                    column.IsNumber ? column : column with { Cells = [.. column.Cells.Select(cell => Cut(cell, longest))] }
                ),
            ];
        }

        return columns;
    }

    /// <summary>Seven columns for a page: the case, its prompt, and what it measured.</summary>
    public TextTable ForPage()
    {
        CaseField[] names = [.. _names.Different.Where(part => part != CaseField.Prompt)];
        RankedColumn named = Column(
            SummaryTable.Case.Header,
            SummaryTable.Case.Header,
            0,
            false,
            row =>
                string.Join(
                    ' ',
                    (names.Length > 0 ? names : [CaseField.Precision]).Select(part => part.Named(row.Case)).Where(text => text.Length > 0)
                )
        );
        RankedColumn prompt = Column(
            SummaryTable.Prompt.Header,
            SummaryTable.Prompt.Header,
            0,
            false,
            row => PromptText(CaseField.Prompt, row.Case)
        );
        return ToTable([named, prompt, .. Columns.Skip(_names.Naming.Count).Where(column => column.Rank <= LastOfPage)]);
    }

    /// <summary>The metric that everything is told by.</summary>
    internal static Column<Sample> DecodeRate => s_decode.Source;

    /// <summary>Standard deviation of the decode rate over iterations, percent of the median.</summary>
    internal static double? Spread(ResultRow row) => s_spread.Value(row) / s_decode.Value(row) * 100;

    /// <summary>In a word what is wrong with a case; empty when nothing is known to be.</summary>
    internal static string Note(ResultRow row) =>
        row.Status == CaseStatus.Failed ? "failed"
        : row.Status == CaseStatus.Interrupted ? "interrupted"
        : row.OutputStable == false ? "tokens differ"
        : row.Fitness.Verdict == Steadiness.Unsteady ? "unsteady"
        : Spread(row) > NoisyPercent ? "noisy"
        : row.Verification.Status is VerificationStatus.Unverified ? "unverified"
        : "";

    private static TextTable ToTable(List<RankedColumn> columns) =>
        new(
            [.. columns.Select(column => new TextColumn(column.Header, column.IsNumber))],
            [.. Enumerable.Range(0, columns[0].Cells.Count).Select(i => columns.Select(column => column.Cells[i]).ToArray())]
        );

    private static int Width(IEnumerable<RankedColumn> columns) =>
        columns.Sum(column => column.Cells.Append(column.Header).Max(cell => cell.Length) + 2) - 2;

    private static string Cut(string text, int longest = LongestText) => text.Length <= longest ? text : text[..(longest - 1)] + "…";

    /// <summary>How often everything was measured: <c>3 launches of 5 generations</c>.</summary>
    private string Counts()
    {
        ResultRow[] measured = [.. _rows.Where(row => row.SampleCount > 0)];
        if (measured.Length == 0)
        {
            return "";
        }

        string launches = Range(measured.Select(row => row.LaunchCount));
        string each = Range(measured.Select(row => row.SampleCount / row.LaunchCount));
        return $"medians over {launches} {(launches == "1" ? "launch" : "launches")} of {each} "
            + (each == "1" ? "generation" : "generations");

        static string Range(IEnumerable<int> counts) =>
            counts.Distinct().Order().ToArray() is [var least, .., var most]
                ? Invariant($"{least} to {most}")
                : Invariant($"{counts.First()}");
    }

    private static string NewTokens(ResultRow row) => s_new.Value(row) is { } count ? Invariant($"{count:0}") : "";

    private static string PromptText(CaseField field, CaseKey key) =>
        field == CaseField.Prompt && key.PromptTokens is { } count && key.PromptId != Invariant($"pp{count}")
            ? Invariant($"{Cut(key.PromptId, LongestText - 8)} ({count})")
            : field.Text(key);

    private static string Said(CaseField field, CaseKey key) =>
        field.Named(key) is not { Length: > 0 } text ? ""
        : field == CaseField.Prompt ? $"prompt {PromptText(field, key)}"
        : field.Name is "options" or "build" or "template" ? $"{field.Name} {text}"
        : text;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private RankedColumn Column(string header, string shortHeader, int rank, bool isNumber, Func<ResultRow, string> cell) =>
        new(header, shortHeader, rank, isNumber, [.. _rows.Select(cell)]);

    private IEnumerable<RankedColumn> Measured(StatisticColumn column)
    {
        // What all share stands above the table.
        Func<ResultRow, string> cell = column == s_new && _rows.Select(NewTokens).Distinct().Count() == 1 ? _ => "" : column.Shown;
        yield return Column(column.Title, column.Heading!.Text, column.Heading.Rank, isNumber: true, cell);
        if (column.Heading.WithDeviation)
        {
            yield return Column("±", "±", 1, isNumber: true, row => Spread(row) is { } percent ? Invariant($"{percent:0.#} %") : "");
        }
    }
}

/// <summary>A column that a narrow screen may lack.</summary>
/// <param name="Header">Its heading.</param>
/// <param name="ShortHeader">Its heading where there is little room.</param>
/// <param name="Rank">How soon it is left out: the highest first, 0 never.</param>
/// <param name="IsNumber">True when the cells are numbers, which stand on the right.</param>
/// <param name="Cells">A text for each case.</param>
public sealed record RankedColumn(string Header, string ShortHeader, int Rank, bool IsNumber, IReadOnlyList<string> Cells);
