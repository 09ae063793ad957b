using System.Globalization;
using System.Text;
using System.Text.Json;
using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Schema;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Gate;

/// <summary>A verdict as people and programs read it.</summary>
public static class GateReport
{
    private const int SchemaVersion = 2;

    /// <summary>One line: the verdict and the counts behind it.</summary>
    public static string Headline(GateVerdict verdict) =>
        Headline("Gate", verdict.ExitCode, [.. verdict.Checks.Select(check => check.Outcome)], verdict.Findings);

    internal static string Headline(
        string name,
        GateExitCode exitCode,
        IReadOnlyList<MetricVerdict> outcomes,
        IReadOnlyList<GateFinding> findings
    )
    {
        string[] counts =
        [
            .. outcomes.GroupBy(outcome => outcome).Select(group => $"{group.Count()} {ComparisonTable.Word(group.Key)}"),
            .. findings
                .Where(finding => finding.Kind != GateFindingKind.Note)
                .GroupBy(finding => finding.Kind)
                .Select(group => $"{group.Count()} {Word(group.Key)}"),
        ];
        string result = exitCode switch
        {
            GateExitCode.Pass => "pass",
            GateExitCode.Regression when !outcomes.Contains(MetricVerdict.Regression) => "FAIL, wrong answers",
            GateExitCode.Regression => "FAIL, regression",
            GateExitCode.Inconclusive => "FAIL, inconclusive",
            _ when outcomes.Count == 0 => "FAIL, nothing was compared",
            _ when findings.All(finding => finding.Kind is GateFindingKind.OutputChanged or GateFindingKind.Note) => "FAIL, other output",
            _ => "FAIL, incomparable",
        };
        return $"{name}: {result}{(counts.Length > 0 ? $" ({string.Join(", ", counts)})" : "")}";
    }

    /// <summary>The checks, worst first.</summary>
    public static TextTable Table(GateVerdict verdict) =>
        new(
            [
                SummaryTable.Case,
                ComparisonTable.Metric,
                new("baseline", true),
                new("current", true),
                ComparisonTable.Ratio,
                new("p", true),
                new("launches", true),
                ComparisonTable.Verdict,
            ],
            [
                .. verdict.Checks.Select(check =>
                    (IReadOnlyList<string>)
                        [
                            check.CaseId,
                            check.Metric.Name,
                            Figure.Text(check.BaselineMedian),
                            Figure.Text(check.CurrentMedian),
                            ComparisonTable.RatioText(check.Judgement),
                            PText(check.Judgement.AdjustedP),
                            $"{check.BaselineLaunches}/{check.CurrentLaunches}",
                            OutcomeText(check),
                        ]
                ),
            ]
        );

    /// <summary>What was found besides the checks, a line each, what fails first.</summary>
    public static IReadOnlyList<string> Findings(GateVerdict verdict) => Findings(verdict.Findings);

    internal static IReadOnlyList<string> Findings(IReadOnlyList<GateFinding> findings) =>
        [
            .. findings
                .OrderBy(finding => finding.Kind)
                .Select(finding => $"{Word(finding.Kind)}: {(finding.CaseId is { } id ? id + ": " : "")}{finding.Message}"),
        ];

    /// <summary>Plain text for a console or a log.</summary>
    public static string Text(GateVerdict verdict) => Write(verdict, heading: "", line => line);

    /// <summary>GitHub-flavoured markdown, for <c>GITHUB_STEP_SUMMARY</c>.</summary>
    public static string Markdown(GateVerdict verdict) => Write(verdict, heading: "## ", MarkdownTable.Escape);

    /// <summary>Everything.</summary>
    public static string Json(GateVerdict verdict) =>
        ExportJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteNumber("schema_version", SchemaVersion);
            json.WriteNumber("exit_code", (int)verdict.ExitCode);
            json.WriteString("headline", Headline(verdict));
            json.WriteNumber("threshold", verdict.Options.Threshold);
            json.WriteNumber("alpha", verdict.Options.Alpha);
            ComparisonFiles.WriteArray(json, "vary", verdict.Vary, json.WriteStringValue);
            ComparisonFiles.WriteArray(json, "baseline_run_ids", verdict.BaselineRunIds, json.WriteStringValue);
            json.WriteString("current_run_id", verdict.CurrentRunId);
            ComparisonFiles.WriteArray(json, "checks", verdict.Checks, check => WriteCheck(json, check));
            WriteFindings(json, verdict.Findings);
            json.WriteEndObject();
        });

    internal static void WriteFindings(Utf8JsonWriter json, IReadOnlyList<GateFinding> findings) =>
        ComparisonFiles.WriteArray(
            json,
            "findings",
            findings,
            finding =>
            {
                json.WriteStartObject();
                json.WriteString("kind", Word(finding.Kind));
                json.WriteString("case_id", finding.CaseId);
                json.WriteString("message", finding.Message);
                json.WriteEndObject();
            }
        );

    /// <summary>Everything, into a file.</summary>
    /// <param name="verdict">The verdict.</param>
    /// <param name="path">The file.</param>
    /// <param name="force">Replaces a file that is no verdict.</param>
    /// <exception cref="RunFileException">The file is there and is no verdict, or it cannot be written.</exception>
    public static void WriteJson(GateVerdict verdict, string path, bool force = false) =>
        TextFile.Write(path, Json(verdict), "\"exit_code\":", force);

    private static string Write(GateVerdict verdict, string heading, Func<string, string> escape)
    {
        StringBuilder text = new();
        text.Append(heading).Append(escape(Headline(verdict))).Append("\n\n");
        string subject = verdict.Vary.Count > 0 ? $", compared over {string.Join(", ", verdict.Vary)}" : "";
        text.Append(
                escape(
                    $"Current {verdict.CurrentRunId} against {string.Join(", ", verdict.BaselineRunIds)}{subject}; red: worse by more than "
                        + $"{ComparisonTable.Percent(verdict.Options.Threshold)} and p < "
                        + $"{verdict.Options.Alpha.ToString(CultureInfo.InvariantCulture)}; pass: such a loss is excluded."
                )
            )
            .Append('\n');
        if (verdict.Checks.Count > 0)
        {
            text.Append('\n').Append(MarkdownTable.Write(Table(verdict)));
        }

        foreach (string finding in Findings(verdict))
        {
            text.Append("\n- ").Append(escape(finding));
        }

        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void WriteCheck(Utf8JsonWriter json, GateCheck check)
    {
        json.WriteStartObject();
        json.WriteString("case_id", check.CaseId);
        json.WriteString("metric", check.Metric.Name);
        json.WriteString("unit", check.Metric.Unit);
        json.WriteString("outcome", ComparisonTable.Word(check.Outcome));
        json.WriteString("baseline_run_id", check.BaselineRunId);
        json.WriteNumber("baseline_launches", check.BaselineLaunches);
        json.WriteNumber("current_launches", check.CurrentLaunches);
        json.WriteNumber("baseline_n", check.BaselineCount);
        json.WriteNumber("current_n", check.CurrentCount);
        json.WriteNumber("baseline_median", check.BaselineMedian);
        json.WriteNumber("current_median", check.CurrentMedian);
        ComparisonFiles.WriteJudgement(json, check.Judgement with { Reason = check.Reason });
        if (check.Confirmation is { } again)
        {
            json.WriteStartObject("confirmation");
            json.WriteNumber("ratio", again.Judgement.Ratio.Ratio);
            json.WriteString("outcome", ComparisonTable.Word(again.Outcome));
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static string OutcomeText(GateCheck check)
    {
        string again = check.Confirmation is { } second ? $", measured again: {ComparisonTable.RatioText(second.Judgement)}" : "";
        string spread = check is { Reason: null, Judgement.Ratio.Spread: SpreadSource.NoiseRecord }
            ? ", with the spread of the noise record"
            : "";
        return $"{(check.Outcome == MetricVerdict.Regression ? "REGRESSION" : ComparisonTable.Word(check.Outcome))}{spread}"
            + $"{(check.Reason is { } reason ? ": " + reason : "")}{again}";
    }

    internal static string PText(double? p) =>
        p switch
        {
            null => "",
            < 0.0001 => "<0.0001",
            { } value => value.ToString("0.0000", CultureInfo.InvariantCulture),
        };

    private static string Word(GateFindingKind kind) =>
        kind switch
        {
            GateFindingKind.OutputChanged => "output changed",
            GateFindingKind.WrongAnswer => "wrong answer",
            _ => kind.ToString().ToLowerInvariant(),
        };
}
