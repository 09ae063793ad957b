using System.Text.Json;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Comparison;
using Llama3Perf.Results.Tests.Files;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

public sealed class GateReportTests
{
    private static readonly GateVerdict s_verdict = RegressionGate.Judge(
        [Run("a|1", [Case, Case with { MaxLength = 700 }])],
        Run("b", slower: 1.1).Built("feed"),
        new GateOptions { Metrics = ["decode_tps", "ttft_ms"] }
    );

    [Fact]
    public void The_summary_says_what_was_decided_and_on_what_grounds()
    {
        string markdown = GateReport.Markdown(s_verdict);
        Assert.StartsWith(
            "## Gate: FAIL, regression (2 regression, 1 missing)\n\nCurrent b against a\\|1, compared over build_commit; red: worse by "
                + "more than 5 % and p &lt; 0.01; pass: such a loss is excluded.\n",
            markdown,
            StringComparison.Ordinal
        );
        Assert.Contains("| REGRESSION |", markdown, StringComparison.Ordinal);
        Assert.Contains(
            "- missing: llama-125m-int4-b32/ort-cpu/pp512/l700/t2: baseline: measured; current: not there",
            markdown,
            StringComparison.Ordinal
        );
        Assert.EndsWith("\n", markdown, StringComparison.Ordinal);
        Assert.Contains("p < 0.01", GateReport.Text(s_verdict), StringComparison.Ordinal);
    }

    [Fact]
    public void The_json_holds_checks_findings_and_exit_code()
    {
        JsonElement json = JsonDocument
            .Parse(GateReport.Json(RegressionGate.Confirm(s_verdict, [Run("a|1")], Run("c", slower: 1.1).Built("feed"))))
            .RootElement;
        Assert.Equal(1, json.GetProperty("exit_code").GetInt32());
        JsonElement check = json.GetProperty("checks")[0];
        Assert.Equal("regression", check.GetProperty("outcome").GetString());
        Assert.Equal(2, check.GetProperty("ratio_interval").GetArrayLength());
        Assert.InRange(check.GetProperty("p_adjusted").GetDouble(), 0, 0.01);
        Assert.Equal(
            (3, 3, "launches"),
            (
                check.GetProperty("baseline_launches").GetInt32(),
                check.GetProperty("current_launches").GetInt32(),
                check.GetProperty("spread").GetString()
            )
        );
        Assert.Equal("regression", check.GetProperty("confirmation").GetProperty("outcome").GetString());
        Assert.Equal(("a|1", 15, 15), (Text(check, "baseline_run_id"), Number(check, "baseline_n"), Number(check, "current_n")));
        GateCheck first = s_verdict.Checks[0];
        Assert.Equal(
            (first.CaseId, first.Metric.Name, first.Metric.Unit),
            (Text(check, "case_id"), Text(check, "metric"), Text(check, "unit"))
        );
        Assert.Equal(first.BaselineMedian, check.GetProperty("baseline_median").GetDouble());
        Assert.Equal(first.CurrentMedian, check.GetProperty("current_median").GetDouble());
        Assert.Equal(
            (2, 0.05, 0.01),
            (Number(json, "schema_version"), json.GetProperty("threshold").GetDouble(), json.GetProperty("alpha").GetDouble())
        );
        Assert.Equal("Gate: FAIL, regression (2 regression, 1 missing)", Text(json, "headline"));
        Assert.Equal(
            ("a|1", "b", "build_commit"),
            (json.GetProperty("baseline_run_ids")[0].GetString(), Text(json, "current_run_id"), json.GetProperty("vary")[0].GetString())
        );
        JsonElement finding = json.GetProperty("findings")[0];
        Assert.Equal("missing", Text(finding, "kind"));
        Assert.Equal(s_verdict.Findings[0].CaseId, Text(finding, "case_id"));
        Assert.Equal(s_verdict.Findings[0].Message, Text(finding, "message"));

        static int Number(JsonElement element, string name) => element.GetProperty(name).GetInt32();

        static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
    }

    [Fact]
    public void What_was_not_compared_needs_neither_counts_nor_a_table()
    {
        Run empty = Run("a") with { Cases = [] };
        GateVerdict verdict = RegressionGate.Judge([empty], empty, new GateOptions());
        Assert.Equal(
            "Gate: FAIL, nothing was compared\n\n"
                + "Current a against a; red: worse by more than 5 % and p < 0.01; pass: such a loss is excluded.\n"
                + "\n- note: baseline and current are the same run, a (A/A)\n",
            GateReport.Text(verdict)
        );
    }

    [Fact]
    public void The_headline_says_what_failed()
    {
        GateFinding changed = new(GateFindingKind.OutputChanged, "x", "other tokens");
        GateFinding note = new(GateFindingKind.Note, null, "worth knowing");
        GateFinding missing = new(GateFindingKind.Missing, "x", "not there");
        Assert.Equal("Gate: FAIL, other output (1 pass, 1 output changed)", Headline(note, changed));
        Assert.Equal("Gate: FAIL, incomparable (1 pass, 1 output changed, 1 missing)", Headline(note, changed, missing));
        Assert.Equal(
            ["missing: x: not there", "output changed: x: other tokens", "note: worth knowing"],
            GateReport.Findings(s_verdict with { Findings = [note, changed, missing] })
        );

        static string Headline(params GateFinding[] findings) =>
            GateReport.Headline("Gate", GateExitCode.Incomparable, [Results.Statistics.MetricVerdict.Pass], findings);
    }

    [Fact]
    public void Numbers_stand_on_the_right()
    {
        TextTable table = GateReport.Table(s_verdict);
        Assert.All(table.Columns, column => Assert.Equal(column.Header is not ("case" or "metric" or "verdict"), column.IsNumber));
    }

    [Theory]
    [InlineData(null, "")]
    [InlineData(0.0, "<0.0001")]
    [InlineData(0.00009, "<0.0001")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.25, "0.2500")]
    public void A_p_value_has_four_digits(double? p, string expected) => Assert.Equal(expected, GateReport.PText(p));

    [Fact]
    public void A_verdicts_file_replaces_a_verdict_and_nothing_else()
    {
        using TestFolder folder = new();
        GateReport.WriteJson(s_verdict, folder.File("verdict.json"));
        GateReport.WriteJson(s_verdict, folder.File("verdict.json"));
        Assert.Equal(GateReport.Json(s_verdict), File.ReadAllText(folder.File("verdict.json")));
        File.WriteAllText(folder.File("notes.txt"), "mine");
        Assert.Throws<RunFileException>(() => GateReport.WriteJson(s_verdict, folder.File("notes.txt")));
        GateReport.WriteJson(s_verdict, folder.File("notes.txt"), force: true);
        Assert.Equal(GateReport.Json(s_verdict), File.ReadAllText(folder.File("notes.txt")));
    }
}
