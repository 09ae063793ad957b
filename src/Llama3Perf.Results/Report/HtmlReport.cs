using System.Net;
using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Report;

/// <summary>
/// One page that shows one run or several: what is wrong first, then charts, tables and the machine. It needs no network, follows light and
/// dark, and fits a phone. Its charts are drawn beforehand, so that it prints, and its script only sorts, filters and saves.
/// </summary>
public static class HtmlReport
{
    private const string Mark = "<title>Llama3Perf report";

    private static readonly string s_regression = ComparisonTable.Word(MetricVerdict.Regression);

    private static readonly string s_script = Resource("report.js");

    /// <summary>Writes the page.</summary>
    /// <param name="runs">One run or several; when they differ in one field only, lines show each case over it.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="force">Replaces a file that is no report.</param>
    /// <param name="options">What the page is about.</param>
    /// <exception cref="RunFileException">The file is there and is no report, it cannot be written, or the runs differ in more than was
    /// named.</exception>
    /// <exception cref="OptionException">There is no such field or baseline.</exception>
    public static void Write(IReadOnlyList<Run> runs, string path, bool force = false, ReportOptions? options = null) =>
        TextFile.Write(path, Page(runs, options), Mark, force);

    /// <summary>The page's text: HTML that is well-formed XML too.</summary>
    internal static string Page(IReadOnlyList<Run> runs, ReportOptions? options = null)
    {
        options ??= new ReportOptions();
        var selection = ReportSelection.Of(runs, options.Cases);
        var data = ReportData.Of(selection.Shown, options);
        ReportTables tables = new(data);
        string title = options.Title ?? ReportTiles.Title(data);
        StringBuilder page = new();
        AppendHead(page, title);
        AppendHeader(page, data, tables, title, selection.Note);
        AppendTiles(page, data, tables);
        AppendWrong(page, tables, data.IsMany);
        AppendCharts(page, data);
        AppendTables(page, data, tables);
        AppendData(page, runs);
        return page.Append($"<script>{s_script}</script>\n</body>\n</html>\n").ToString();
    }

    private static void AppendHead(StringBuilder page, string title)
    {
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(s_script)));
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n")
            .Append(
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" "
                    + "content=\"light dark\"/>\n"
            )
            .Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; ")
            .Append($"script-src 'sha256-{hash}'\"/>\n")
            .Append($"{Mark}: {Escape(title)}</title>\n<style>\n{Resource("report.css")}</style>\n</head>\n<body>\n");
    }

    private static void AppendHeader(StringBuilder page, ReportData data, ReportTables tables, string title, string? selection)
    {
        string names =
            data.Runs.Count > MostNames
                ? $"{data.Runs[0].Identity.ShownName()} to {data.Runs[^1].Identity.ShownName()}"
                : string.Join(", ", data.Runs.Select(run => run.Identity.ShownName()));
        page.Append($"<header>\n<p class=\"kicker\">Llama3Perf report</p>\n<h1>{Escape(title)}</h1>\n");
        int measured = data.Rows.Count(row => row.Status == CaseStatus.Ok);
        page.Append(
            $"<p>{Escape(names)}: {measured} of {data.Rows.Count} cases "
                + $"measured{(data.Varied is { } varied ? $", compared over <code>{Escape(varied)}</code>" : "")}.</p>\n"
        );
        IEnumerable<string> headline = data.Runs.Count == 1 && Headline.Of(data.Runs[0]) is { } sentence ? [sentence] : [];
        foreach (string text in headline)
        {
            page.Append($"<p><strong>{Escape(text)}</strong></p>\n");
        }

        IEnumerable<string> notes = data.Rows.Any(row => row.Case.Weights == "synthetic")
            ? ["Synthetic weights: speed is real, text is noise."]
            : [];
        foreach (
            string note in notes
                .Concat(selection is null ? [] : [selection])
                .Concat(data.Warning is { } warning ? [warning] : [])
                .Concat(data.Runs.SelectMany(run => run.Remarks).Distinct(StringComparer.Ordinal))
                .Concat(Unstable(data))
                .Concat(tables.AnswerChanges)
        )
        {
            page.Append($"<p class=\"note\">{Escape(note)}</p>\n");
        }

        page.Append("</header>\n");
    }

    // So many rows of cases are written out beside the data that can be saved: a page is for reading.
    private const int MostRows = 300;

    // Longer tables are opened by those who want them.
    private const int MostOpenRows = 24;

    private const int MostNames = 6;

    private static IEnumerable<string> Unstable(ReportData data) =>
        data
            .Rows.Where(row => row.OutputStable == false)
            .Select(row => $"{row.CaseId} in {row.Run.RunId}: the generated tokens differ between iterations.");

    private static void AppendTiles(StringBuilder page, ReportData data, ReportTables tables)
    {
        page.Append("<dl class=\"tiles\">\n");
        foreach ((string name, string figure, string of, bool isBad) in ReportTiles.Of(data, tables.Compared))
        {
            page.Append($"<div{(isBad ? " class=\"bad\"" : "")}><dt>{Escape(name)}</dt><dd>{Escape(figure)}</dd>")
                .Append(of.Length > 0 ? $"<dd>{Escape(of)}</dd></div>\n" : "</div>\n");
        }

        page.Append("</dl>\n");
    }

    /// <summary>What somebody has to act upon stands before everything else.</summary>
    private static void AppendWrong(StringBuilder page, ReportTables tables, bool isMany)
    {
        if (tables.Problems(CaseStatus.Failed, CaseStatus.Interrupted) is { Rows.Count: > 0 } failed)
        {
            AppendSection(page, "Failed cases", "These have no figures below.", Shown(failed));
        }

        if (tables.Comparison() is { } comparison)
        {
            AppendSection(
                page,
                "Comparison",
                $"Ratios {(isMany ? "of the last run " : "")}to the first run with their intervals over launches, each end at 1 %, "
                    + "regressions first; pass: a loss of 5 % is excluded."
                    + (isMany ? " compare prints those of all runs." : ""),
                Regressions(comparison)
            );
        }
    }

    private static void AppendCharts(StringBuilder page, ReportData data)
    {
        foreach (ReportChart chart in ReportChart.All(data))
        {
            string details = chart.Details is { } other
                ? Folded(other.Opener, $"<p class=\"lead\">{Escape($"{other.Title}. {other.Caption}")}</p>\n{FigureOf(other, data)}")
                : "";
            AppendSection(page, chart.Title, chart.Caption, FigureOf(chart, data) + details);
        }
    }

    private static string FigureOf(ReportChart chart, ReportData data) =>
        $"<figure role=\"img\" aria-label=\"{Escape(chart.Title)}; the figures are in the tables below\">\n"
        + $"<div class=\"wide\">{chart.Element(data, 920)}</div>\n<div "
        + $"class=\"narrow\">{chart.Element(data, 350)}</div>\n</figure>\n";

    private static void AppendTables(StringBuilder page, ReportData data, ReportTables tables)
    {
        AppendSection(
            page,
            "Figures",
            "Medians over iterations with their 95 % intervals over launches (three or more), as the charts show them."
                + (data.Rows.Count > MostRows ? $" The first {MostRows} cases; the others stand as data below." : ""),
            Shown(tables.Figures())
        );
        if (data.Rows.Count <= MostRows)
        {
            AppendSection(
                page,
                "Results",
                "One row for each case, as in results.csv.",
                Folded("Show all columns", Table(tables.Results()))
            );
        }

        if (tables.Problems(CaseStatus.Skipped) is { Rows.Count: > 0 } skipped)
        {
            AppendSection(page, "Skipped cases", "These cannot run there, or were not asked for.", Folded("Show", Table(skipped)));
        }

        if (tables.Unsteady() is { Rows.Count: > 0 } unsteady)
        {
            AppendSection(
                page,
                "Unsteady cases",
                "Their machine was disturbed while they were measured: such a side proves nothing.",
                Shown(unsteady)
            );
        }

        if (tables.Notes() is { Rows.Count: > 0 } notes)
        {
            AppendSection(page, "Notes", "What a reader of the figures has to know.", Shown(notes));
        }

        (TextTable runs, TextTable shared) = tables.Environment();
        AppendSection(
            page,
            "Environment",
            data.Sides.Count > 1 ? "What the runs differ in, then what they share." : "",
            (data.Sides.Count > 1 ? Shown(runs) : "") + Folded(data.Sides.Count > 1 ? "Show what they share" : "Show", Table(shared))
        );
    }

    private static void AppendData(StringBuilder page, IReadOnlyList<Run> runs)
    {
        string csv = ReportSelection.Text(runs);
        AppendSection(
            page,
            "Data",
            "Medians of every case, comma-separated.",
            "<p><a download=\"llama3perf.csv\" href=\"data:text/csv;charset=utf-8;base64,"
                + $"{Convert.ToBase64String(Encoding.UTF8.GetBytes(csv))}\">"
                + "Save as CSV</a></p>\n"
                + Folded("Show", $"<pre>{string.Join('\n', csv.TrimEnd().Split('\n').Select(Escape))}</pre>")
        );
    }

    private static TextTable First(TextTable table) => new(table.Columns, [.. table.Rows.Take(MostRows)]);

    /// <summary>A table as it is or, where it is long, behind a line that says how long.</summary>
    private static string Shown(TextTable table) =>
        table.Rows.Count <= MostOpenRows
            ? Table(table)
            : Folded($"Show {(table.Rows.Count > MostRows ? $"{MostRows} of " : "")}{table.Rows.Count} rows", Table(First(table)));

    /// <summary>Of a long comparison the regressions stand open.</summary>
    private static string Regressions(TextTable comparison)
    {
        if (comparison.Rows.Count <= MostOpenRows)
        {
            return Table(comparison);
        }

        ILookup<bool, IReadOnlyList<string>> rows = comparison.Rows.ToLookup(row => row.Contains(s_regression));
        TextTable worse = First(comparison with { Rows = [.. rows[true]] });
        TextTable others = comparison with { Rows = [.. rows[false]] };
        return (worse.Rows.Count > 0 ? Table(worse) : "") + (others.Rows.Count > 0 ? Shown(others) : "");
    }

    private static string Folded(string label, string content) => $"<details><summary>{Escape(label)}</summary>\n{content}</details>\n";

    private static void AppendSection(StringBuilder page, string title, string lead, string content)
    {
        page.Append($"<section>\n<h2>{Escape(title)}</h2>\n");
        if (lead.Length > 0)
        {
            page.Append($"<p class=\"lead\">{Escape(lead)}</p>\n");
        }

        page.Append(content).Append("</section>\n");
    }

    private static string Table(TextTable table)
    {
        StringBuilder text = new("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
        string[] classes = [.. table.Columns.Select(column => column.IsNumber ? " class=\"number\"" : "")];
        int named = Math.Max(0, table.Columns.ToList().FindIndex(column => column.Header == SummaryTable.Case.Header));
        text.AppendJoin("", table.Columns.Select((column, i) => $"<th scope=\"col\"{classes[i]}>{Escape(column.Header)}</th>"))
            .Append("</tr></thead>\n<tbody>\n");
        foreach (IReadOnlyList<string> row in table.Rows)
        {
            text.Append(row.Contains(s_regression) ? "<tr class=\"marked\">" : "<tr>");
            text.AppendJoin(
                    "",
                    row.Select((cell, i) => i == named ? $"<th scope=\"row\">{Escape(cell)}</th>" : $"<td{classes[i]}>{Escape(cell)}</td>")
                )
                .Append("</tr>\n");
        }

        return text.Append("</tbody>\n</table></div>\n").ToString();
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(ChartSheet.Printable(text));

    private static string Resource(string name)
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
