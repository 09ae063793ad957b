using System.Text;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Files;

/// <summary>results.md: the environment, the table that a person reads first, and what has to be known to read it.</summary>
public static class RunMarkdown
{
    /// <summary>GitHub-flavoured markdown, LF.</summary>
    public static string Write(IReadOnlyList<ResultRow> rows)
    {
        if (rows.Count == 0)
        {
            return "# Llama3Perf\n\nNo cases.\n";
        }

        StringBuilder text = new();
        text.Append("# Llama3Perf ")
            .Append(MarkdownTable.Escape(rows[0].Run.RunId))
            .Append("\n\n```text\n")
            .Append(Environment(rows[0]))
            .Append("```\n\n");
        text.Append(MarkdownTable.Write(SummaryTable.Of(rows)));
        if (rows.Any(row => row.SampleCount > 0))
        {
            text.Append("\nMedians over ")
                .Append(Iterations(rows))
                .Append(
                    "; ± sd is the standard deviation of the decode rate; trimmed is that rate without each iteration's fastest and "
                        + "slowest tenth of tokens. Decode and e2e rates count new tokens only; article tok/s counts prompt tokens too.\n"
                );
        }

        foreach (string note in SummaryTable.Notes(rows))
        {
            text.Append("\n- ").Append(MarkdownTable.Escape(note));
        }

        return text.ToString().TrimEnd('\n') + "\n";
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

    private static string Iterations(IReadOnlyList<ResultRow> rows)
    {
        int[] samples = [.. rows.Where(row => row.SampleCount > 0).Select(row => row.SampleCount).Distinct().Order()];
        int[] launches = [.. rows.Where(row => row.SampleCount > 0).Select(row => row.LaunchCount).Distinct().Order()];
        return $"{Range(samples)} {(samples[^1] == 1 ? "iteration" : "iterations")} in {Range(launches)} "
            + $"{(launches[^1] == 1 ? "launch" : "launches")}";

        static string Range(int[] counts) => counts.Length == 1 ? $"{counts[0]}" : $"{counts[0]} to {counts[^1]}";
    }
}
