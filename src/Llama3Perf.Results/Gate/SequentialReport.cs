using System.Globalization;
using System.Text;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>The verdict of a measurement in blocks as people and programs read it.</summary>
public static class SequentialReport
{
    private const int SchemaVersion = 1;

    /// <summary>One line: the verdict and the counts behind it.</summary>
    public static string Headline(SequentialVerdict verdict) =>
        GateReport.Headline("A/B", verdict.ExitCode, [.. verdict.Rows.Select(row => row.Check.Verdict)], verdict.Findings);

    /// <summary>The checks, worst first.</summary>
    public static TextTable Table(SequentialVerdict verdict) =>
        new(
            [
                SummaryTable.Case,
                ComparisonTable.Metric,
                new("baseline", true),
                new("current", true),
                ComparisonTable.Ratio,
                new("p", true),
                new("blocks", true),
                ComparisonTable.Verdict,
            ],
            [
                .. verdict.Rows.Select(row =>
                    (IReadOnlyList<string>)
                        [
                            row.Check.CaseId,
                            row.Check.Metric.Name,
                            row.BaselineMedian is { } before ? Figure.Text(before) : "",
                            row.CurrentMedian is { } now ? Figure.Text(now) : "",
                            RatioText(row.Check),
                            GateReport.PText(row.Check.AdjustedP),
                            Blocks(row.Check),
                            OutcomeText(row.Check),
                        ]
                ),
            ]
        );

    /// <summary>Plain text for a console or a log.</summary>
    public static string Text(SequentialVerdict verdict) => Write(verdict, heading: "", line => line);

    /// <summary>GitHub-flavoured markdown, for <c>GITHUB_STEP_SUMMARY</c>.</summary>
    public static string Markdown(SequentialVerdict verdict) => Write(verdict, heading: "## ", MarkdownTable.Escape);

    /// <summary>Everything.</summary>
    public static string Json(SequentialVerdict verdict) =>
        ExportJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("schema_version", SchemaVersion);
            json.WriteNumber("exit_code", (int)verdict.ExitCode);
            json.WriteString("headline", Headline(verdict));
            json.WriteNumber("threshold", verdict.Options.Threshold);
            json.WriteNumber("alpha", verdict.Options.Alpha);
            json.WriteNumber("seed", verdict.Seed);
            json.WriteString("ended", verdict.Ended);
            ComparisonFiles.WriteArray(json, "vary", verdict.Vary, json.WriteStringValue);
            json.WriteString("baseline_run_id", verdict.BaselineRunId);
            json.WriteString("current_run_id", verdict.CurrentRunId);
            ComparisonFiles.WriteArray(
                json,
                "checks",
                verdict.Rows,
                row =>
                {
                    json.WriteStartObject();
                    json.WriteString("case_id", row.Check.CaseId);
                    json.WriteString("metric", row.Check.Metric.Name);
                    json.WriteString("unit", row.Check.Metric.Unit);
                    json.WriteString("outcome", ComparisonTable.Word(row.Check.Verdict));
                    json.WriteNumber("blocks", row.Check.Blocks);
                    json.WriteNumber("unsteady_blocks", row.Check.UnsteadyBlocks);
                    WriteKnown(json, "baseline_median", row.BaselineMedian);
                    WriteKnown(json, "current_median", row.CurrentMedian);
                    WriteKnown(json, "ratio", row.Check.Ratio);
                    ComparisonFiles.WriteInterval(json, "ratio_interval", row.Check.Interval);
                    WriteKnown(json, "p_adjusted", row.Check.AdjustedP);
                    if (row.Check.Reason is { } reason)
                    {
                        json.WriteString("reason", reason);
                    }

                    json.WriteEndObject();
                }
            );
            GateReport.WriteFindings(json, verdict.Findings);
            json.WriteEndObject();
        });

    /// <summary>Everything, into <c>verdict.json</c>, and what people read into <c>verdict.md</c>.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="folder">Folder of the files.</param>
    /// <returns>The paths of the files.</returns>
    /// <exception cref="RunFileException">They cannot be written.</exception>
    public static IReadOnlyList<string> WriteFiles(SequentialVerdict verdict, string folder)
    {
        (string json, string markdown) = (Path.Combine(folder, "verdict.json"), Path.Combine(folder, "verdict.md"));
        TextFile.Write(json, Json(verdict));
        TextFile.Write(markdown, Markdown(verdict));
        return [json, markdown];
    }

    private static string Write(SequentialVerdict verdict, string heading, Func<string, string> escape)
    {
        StringBuilder text = new();
        text.Append(heading).Append(escape(Headline(verdict))).Append("\n\n");
        string subject = verdict.Vary.Count > 0 ? $", compared over {string.Join(", ", verdict.Vary)}" : "";
        text.Append(
                escape(
                    $"Current {verdict.CurrentRunId} against {verdict.BaselineRunId}{subject}, launched in turn (seed {verdict.Seed}); "
                        + $"red: worse by more than {ComparisonTable.Percent(verdict.Options.Threshold)} and p < "
                        + $"{verdict.Options.Alpha.ToString(CultureInfo.InvariantCulture)}; pass: such a loss is excluded. {verdict.Ended}."
                )
            )
            .Append("\n\n")
            .Append(MarkdownTable.Write(Table(verdict)));
        foreach (string finding in GateReport.Findings(verdict.Findings))
        {
            text.Append("\n- ").Append(escape(finding));
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static string Blocks(SequentialCheck check) =>
        check.UnsteadyBlocks > 0 ? $"{check.Blocks} (+{check.UnsteadyBlocks} unsteady)" : $"{check.Blocks}";

    private static string RatioText(SequentialCheck check) =>
        check.Ratio is not { } ratio
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{ratio:0.000}{(check.Interval is { } i ? $" [{i.Low:0.000}, {i.High:0.000}]" : "")}"
            );

    private static string OutcomeText(SequentialCheck check) =>
        (check.Verdict == MetricVerdict.Regression ? "REGRESSION" : ComparisonTable.Word(check.Verdict))
        + (check.Reason is { } reason ? ": " + reason : "");

    private static void WriteKnown(System.Text.Json.Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } known)
        {
            json.WriteNumber(name, known);
        }
    }
}
