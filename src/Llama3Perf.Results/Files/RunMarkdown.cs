using System.Text;
using Llama3Perf.Results.Aggregation;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>results.md: a headline, one table, what has to be known to read it, and the environment folded away.</summary>
public static class RunMarkdown
{
    /// <summary>GitHub-flavoured markdown, LF.</summary>
    public static string Write(Run run)
    {
        IReadOnlyList<ResultRow> rows = Aggregates.Rows(run);
        if (rows.Count == 0)
        {
            return "# Llama3Perf\n\nNo cases.\n";
        }

        StringBuilder text = new($"# Llama3Perf {MarkdownTable.Escape(run.Identity.ShownName())}\n");
        if (Headline.Of(run) is { } headline)
        {
            text.Append($"\n**{MarkdownTable.Escape(headline)}**\n");
        }

        CaseTable table = CaseTable.Of(rows);
        if (!table.IsEmpty)
        {
            text.Append($"\n{MarkdownTable.Escape(table.Shared)}.\n\n").Append(MarkdownTable.Write(table.ForPage()));
            text.Append("\nRates count new tokens only; ± is the standard deviation of the decode rate over iterations. ");
            text.Append($"All figures: `{RunFolder.Results}`, every iteration: `{RunFolder.Samples}`.\n");
        }

        foreach (string note in CaseNotes.Of(rows))
        {
            text.Append("\n- ").Append(MarkdownTable.Escape(note));
        }

        return text.ToString().TrimEnd('\n')
            + $"\n\n<details><summary>Environment</summary>\n\n```text\n{Environment(rows[0])}```\n\n</details>\n";
    }

    /// <summary>What is known of the run and its machine, a line each.</summary>
    private static string Environment(ResultRow row)
    {
        (string Name, string Text)[] known =
        [
            .. RunColumns
                .Identity.Select(column => (column.Name, Text: column.Text(row.Run)))
                .Concat(RunColumns.Environment.Select(column => (column.Name, Text: column.Text(row.Environment))))
                .Where(line => line.Text.Length > 0),
        ];
        int width = known.Max(line => line.Name.Length);
        return string.Concat(known.Select(line => $"{line.Name.PadRight(width)}  {line.Text.Replace("```", "'''")}\n"));
    }
}
