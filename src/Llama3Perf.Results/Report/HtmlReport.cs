using System.Net;
using System.Text;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Report;

/// <summary>One page that shows one run or several: charts, tables and the machine. It needs no network, follows light and dark, and fits a
/// phone.</summary>
public static class HtmlReport
{
    private const string Mark = "<title>Llama3Perf report";

    /// <summary>Writes the page.</summary>
    /// <param name="runs">One run or several; when they differ in one field only, lines show each case over it.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="force">Replaces a file that is no report.</param>
    /// <param name="cases">Cases that are shown however many there are; of more than a page holds the worst are shown beside them.</param>
    /// <exception cref="RunFileException">The file is there and is no report, or it cannot be written.</exception>
    public static void Write(IReadOnlyList<Run> runs, string path, bool force = false, IReadOnlyList<string>? cases = null) =>
        TextFile.Write(path, Page(runs, cases), Mark, force);

    /// <summary>The page's text: HTML that is well-formed XML too.</summary>
    internal static string Page(IReadOnlyList<Run> runs, IReadOnlyList<string>? cases = null)
    {
        var selection = ReportSelection.Of(runs, cases ?? []);
        ReportData data = ReportData.Of(selection.Shown);
        ReportTables tables = new(data);
        StringBuilder page = new();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n");
        page.Append(
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<meta name=\"color-scheme\" content=\"light "
                + "dark\"/>\n"
        );
        page.Append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n");
        page.Append($"{Mark}: {Escape(Title(data))}</title>\n<style>\n{Style()}</style>\n</head>\n<body>\n");
        AppendHeader(page, data, tables, selection.Note);
        AppendCharts(page, data);
        AppendSection(
            page,
            "Figures",
            "Medians over iterations with their 95 % intervals over launches (three or more), as the charts show them.",
            Table(tables.Figures())
        );
        if (tables.Comparison() is { } comparison)
        {
            AppendSection(
                page,
                "Comparison",
                "Ratios to the first run with their intervals over launches, each end at 1 %, worst first; pass: a loss of 5 % is "
                    + "excluded.",
                Table(comparison)
            );
        }

        AppendSection(page, "Results", "One row for each case, as in results.csv.", Table(tables.Results()));
        if (tables.Unsteady() is { Rows.Count: > 0 } unsteady)
        {
            AppendSection(
                page,
                "Unsteady cases",
                "Their machine was disturbed while they were measured: such a side proves nothing.",
                Table(unsteady)
            );
        }

        if (tables.Problems() is { Rows.Count: > 0 } problems)
        {
            AppendSection(page, "Failed and skipped cases", "These have no figures above.", Table(problems));
        }

        AppendSection(
            page,
            "Environment",
            data.Sides.Count > 1 ? "What differs between the runs is bold." : "",
            Table(tables.Environment(), rows => rows.Skip(1).Distinct().Count() > 1)
        );
        if (selection.Data.Length > 0)
        {
            AppendSection(
                page,
                "Data",
                "Medians of every case, comma-separated.",
                "<details><summary>Show</summary><pre>"
                    + $"{string.Join('\n', selection.Data.TrimEnd().Split('\n').Select(Escape))}</pre></details>\n"
            );
        }

        return page.Append("</body>\n</html>\n").ToString();
    }

    private static string Title(ReportData data) => data.Sides is [var only] ? only.Run.Identity.RunId : $"{data.Sides.Count} runs";

    private static void AppendHeader(StringBuilder page, ReportData data, ReportTables tables, string? selection)
    {
        page.Append($"<header>\n<p class=\"kicker\">Llama3Perf report</p>\n<h1>{Escape(Title(data))}</h1>\n");
        int measured = data.Rows.Count(row => row.Status == CaseStatus.Ok);
        page.Append(
            $"<p>{measured} of {data.Rows.Count} cases "
                + $"measured{(data.Varied is { } varied ? $", compared over <code>{Escape(varied)}</code>" : "")}.</p>\n"
        );
        IEnumerable<string> notes = data.Rows.Any(row => row.Case.Weights == "synthetic")
            ? ["Synthetic weights: speed is real, text is noise."]
            : [];
        foreach (
            string note in notes
                .Concat(selection is null ? [] : [selection])
                .Concat(data.Warning is { } warning ? [warning] : [])
                .Concat(data.Sides.SelectMany(side => side.Run.Remarks))
                .Concat(Unstable(data))
                .Concat(tables.AnswerChanges)
        )
        {
            page.Append($"<p class=\"note\">{Escape(note)}</p>\n");
        }

        page.Append("</header>\n");
    }

    private static IEnumerable<string> Unstable(ReportData data) =>
        data
            .Rows.Where(row => row.OutputStable == false)
            .Select(row => $"{row.CaseId} in {row.Run.RunId}: the generated tokens differ between iterations.");

    private static void AppendCharts(StringBuilder page, ReportData data)
    {
        foreach (ReportChart chart in ReportChart.All(data))
        {
            string figure =
                $"<figure role=\"img\" aria-label=\"{Escape(chart.Title)}; the figures are in the tables below\">\n"
                + $"<div class=\"wide\">{chart.Element(data, 920)}</div>\n<div "
                + $"class=\"narrow\">{chart.Element(data, 350)}</div>\n</figure>\n";
            AppendSection(page, chart.Title, chart.Caption, figure);
        }
    }

    private static void AppendSection(StringBuilder page, string title, string lead, string content)
    {
        page.Append($"<section>\n<h2>{Escape(title)}</h2>\n");
        if (lead.Length > 0)
        {
            page.Append($"<p class=\"lead\">{Escape(lead)}</p>\n");
        }

        page.Append(content).Append("</section>\n");
    }

    private static string Table(TextTable table, Func<IReadOnlyList<string>, bool>? isMarked = null)
    {
        StringBuilder text = new("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
        string[] classes = [.. table.Columns.Select(column => column.IsNumber ? " class=\"number\"" : "")];
        text.AppendJoin("", table.Columns.Select((column, i) => $"<th scope=\"col\"{classes[i]}>{Escape(column.Header)}</th>"))
            .Append("</tr></thead>\n<tbody>\n");
        foreach (IReadOnlyList<string> row in table.Rows)
        {
            text.Append(isMarked?.Invoke(row) == true ? "<tr class=\"marked\">" : "<tr>");
            text.AppendJoin(
                    "",
                    row.Select((cell, i) => i == 0 ? $"<th scope=\"row\">{Escape(cell)}</th>" : $"<td{classes[i]}>{Escape(cell)}</td>")
                )
                .Append("</tr>\n");
        }

        return text.Append("</tbody>\n</table></div>\n").ToString();
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(ChartSheet.Printable(text));

    private static string Style()
    {
        using Stream stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.css")!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
