using System.Text.Json;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Tests.Comparison;
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
        Assert.Equal("missing", json.GetProperty("findings")[0].GetProperty("kind").GetString());
    }
}
