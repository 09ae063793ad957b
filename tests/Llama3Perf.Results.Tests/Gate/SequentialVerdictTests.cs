using System.Text.Json;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Statistics;
using Llama3Perf.Results.Tests.Comparison;
using Llama3Perf.Results.Tests.Files;
using static Llama3Perf.Results.Tests.Comparison.MeasuredRuns;

namespace Llama3Perf.Results.Tests.Gate;

/// <summary>What a measurement in blocks came to, and how it is told.</summary>
public sealed class SequentialVerdictTests
{
    private static readonly CaseKey s_long = Case with { MaxLength = 700 };
    private static readonly string s_name = CaseId.For(Case);
    private static readonly string s_longName = CaseId.For(s_long);
    private static readonly Run s_baseline = Run("a|1", [Case, s_long]);
    private static readonly SidePair[] s_pairs = [new(s_name, s_name, s_name), new(s_longName, s_longName, s_longName)];

    [Fact]
    public void The_worst_comes_first_with_the_medians_of_both_runs()
    {
        SequentialVerdict verdict = Verdict(s_baseline, Built(), slower: 1.2);

        Assert.Equal(GateExitCode.Regression, verdict.ExitCode);
        Assert.Equal(
            [(s_longName, MetricVerdict.Regression), (s_name, MetricVerdict.Pass)],
            verdict.Rows.Select(row => (row.Check.CaseId, row.Check.Verdict))
        );
        Assert.Equal(["build_commit"], verdict.Vary);
        Assert.Empty(verdict.Findings);
        Assert.Equal(("a|1", "b"), (verdict.BaselineRunId, verdict.CurrentRunId));
        Assert.Equal(100, verdict.Rows[0].BaselineMedian!.Value, 2.0);
        Assert.Equal(100 / 1.2, verdict.Rows[0].CurrentMedian!.Value, 2.0);
    }

    [Fact]
    public void Sides_that_differ_in_nothing_are_told_so()
    {
        SequentialVerdict verdict = Verdict(s_baseline, s_baseline, slower: 1);
        Assert.Empty(verdict.Vary);
        Assert.Equal(
            new GateFinding(GateFindingKind.Note, null, "the sides differ in nothing that is recorded (A/A)"),
            Assert.Single(verdict.Findings)
        );
        Assert.Equal(GateExitCode.Pass, verdict.ExitCode);
    }

    [Fact]
    public void A_case_that_failed_on_a_side_is_missing_and_has_no_median_there()
    {
        foreach (bool isBaseline in new[] { true, false })
        {
            Run failed = (isBaseline ? s_baseline : Built()).Ended(CaseStatus.Failed, "crash");
            SequentialVerdict verdict = isBaseline ? Verdict(failed, Built(), slower: 1) : Verdict(s_baseline, failed, slower: 1);
            Assert.Equal(GateExitCode.Incomparable, verdict.ExitCode);
            Assert.Equal(
                new GateFinding(
                    GateFindingKind.Missing,
                    s_name,
                    isBaseline ? "baseline: failed: crash; current: measured" : "baseline: measured; current: failed: crash"
                ),
                Assert.Single(verdict.Findings)
            );
            SequentialRow row = Assert.Single(verdict.Rows, row => row.Check.CaseId == s_name);
            Assert.Equal((isBaseline, !isBaseline), (row.BaselineMedian is null, row.CurrentMedian is null));
        }
    }

    [Fact]
    public void Other_answers_are_found_and_a_case_that_a_run_lacks_is_refused()
    {
        Run other = Built().Changed("b", sample => sample with { OutputSha256 = new string('d', 64) });
        Assert.Equal(
            [(GateFindingKind.OutputChanged, s_name), (GateFindingKind.OutputChanged, s_longName)],
            Verdict(s_baseline, other, slower: 1).Findings.Select(finding => (finding.Kind, finding.CaseId))
        );
        Assert.Equal(
            $"run b lacks the case '{s_longName}', which it was to measure",
            Assert.Throws<RunFileException>(() => Verdict(s_baseline, Built().Without(1), slower: 1)).Message
        );
    }

    [Fact]
    public void The_text_says_what_was_decided_and_on_what_grounds()
    {
        SequentialVerdict verdict = Verdict(s_baseline, Built(), slower: 1.2);
        string[] lines = SequentialReport.Text(verdict).Split('\n');

        Assert.Equal("A/B: FAIL, regression (1 regression, 1 pass)", lines[0]);
        Assert.Equal(
            "Current b against a|1, compared over build_commit, launched in turn (seed 7); red: worse by more than 5 % and p < 0.01; "
                + "pass: such a loss is excluded. Everything is decided.",
            lines[2]
        );
        Assert.Matches(@"\| REGRESSION +\|$", lines[6]);
        IReadOnlyList<string> cells = SequentialReport.Table(verdict).Rows[0];
        Assert.Equal(
            ["baseline", "current", "p", "blocks"],
            SequentialReport.Table(verdict).Columns.Where(column => column.IsNumber).Select(column => column.Header).Where(IsPlain)
        );
        Assert.Equal([s_longName, "decode_tps", Blocks(verdict), "REGRESSION"], [cells[0], cells[1], cells[6], cells[7]]);
        Assert.Matches(@"^0\.8\d\d \[0\.\d{3}, [01]\.\d{3}\]$", cells[4]);
        Assert.Matches(@"^<?0\.0\d{3}$", cells[5]);
        Assert.Equal("", lines[^1]);
        Assert.StartsWith("## A/B: FAIL, regression", SequentialReport.Markdown(verdict), StringComparison.Ordinal);
        Assert.Contains("against a\\|1", SequentialReport.Markdown(verdict), StringComparison.Ordinal);

        string same = SequentialReport.Text(Verdict(s_baseline, s_baseline, slower: 1));
        Assert.Contains("against a|1, launched in turn", same, StringComparison.Ordinal);
        Assert.EndsWith("\n\n- note: the sides differ in nothing that is recorded (A/A)\n", same, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_decided_says_what_would()
    {
        SequentialGate gate = new([s_name, s_longName], new GateOptions { Metrics = ["decode_tps"] });
        gate.AddBlock(s_name, s_baseline.Cases[0].Samples, s_baseline.Cases[0].Samples);
        gate.AddBlock(s_longName, s_baseline.Cases[1].Samples, s_baseline.Cases[1].Samples, "foreign load 40 %");
        SequentialVerdict verdict = SequentialVerdict.Of(gate, s_pairs, s_baseline, Built(), 7, "The time is over");

        Assert.Equal(GateExitCode.Inconclusive, verdict.ExitCode);
        string text = SequentialReport.Text(verdict);
        Assert.StartsWith("A/B: FAIL, inconclusive (2 inconclusive)", text, StringComparison.Ordinal);
        Assert.Matches(@"\| 1\.000 +\| +\| +1 \| inconclusive: 1 block with decode_tps", text);
        Assert.Matches(@"\| 0 \(\+1 unsteady\) \| inconclusive: 1 block does not count", text);

        JsonElement[] checks = [.. JsonDocument.Parse(SequentialReport.Json(verdict)).RootElement.GetProperty("checks").EnumerateArray()];
        Assert.Equal([1, 0], checks.Select(check => check.GetProperty("blocks").GetInt32()));
        Assert.Equal([0, 1], checks.Select(check => check.GetProperty("unsteady_blocks").GetInt32()));
        Assert.Equal([true, false], checks.Select(check => check.TryGetProperty("ratio", out _)));
        Assert.All(checks, check => Assert.False(check.TryGetProperty("p_adjusted", out _)));
        Assert.All(
            checks,
            check => Assert.Contains("two show a spread", check.GetProperty("reason").GetString(), StringComparison.Ordinal)
        );
    }

    [Fact]
    public void The_files_hold_it_for_programs_and_for_people()
    {
        using TestFolder folder = new();
        SequentialVerdict verdict = Verdict(s_baseline, Built(), slower: 1.2);
        IReadOnlyList<string> files = SequentialReport.WriteFiles(verdict, folder.File("ab"));
        Assert.Equal(["verdict.json", "verdict.md"], files.Select(Path.GetFileName));
        Assert.Equal(SequentialReport.Markdown(verdict), File.ReadAllText(files[1]));

        JsonElement json = JsonDocument.Parse(File.ReadAllText(files[0])).RootElement;
        Assert.Equal((1, 1, 7), (Number("schema_version"), Number("exit_code"), Number("seed")));
        Assert.Equal((0.05, 0.01), (json.GetProperty("threshold").GetDouble(), json.GetProperty("alpha").GetDouble()));
        Assert.Equal(
            ("a|1", "b", "Everything is decided"),
            (Text(json, "baseline_run_id"), Text(json, "current_run_id"), Text(json, "ended"))
        );
        Assert.Equal("build_commit", json.GetProperty("vary")[0].GetString());
        Assert.Equal(SequentialReport.Headline(verdict), Text(json, "headline"));
        JsonElement check = json.GetProperty("checks")[0];
        Assert.Equal(
            (s_longName, "decode_tps", "tok/s", "regression"),
            (Text(check, "case_id"), Text(check, "metric"), Text(check, "unit"), Text(check, "outcome"))
        );
        Assert.Equal(2, check.GetProperty("ratio_interval").GetArrayLength());
        Assert.InRange(check.GetProperty("p_adjusted").GetDouble(), 0, 0.01);
        Assert.Equal(verdict.Rows[0].BaselineMedian, check.GetProperty("baseline_median").GetDouble());
        Assert.Equal(verdict.Rows[0].CurrentMedian, check.GetProperty("current_median").GetDouble());
        Assert.False(check.TryGetProperty("reason", out _));
        Assert.Equal(0, json.GetProperty("findings").GetArrayLength());

        int Number(string name) => json.GetProperty(name).GetInt32();

        static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
    }

    private static bool IsPlain(string header) => header is "baseline" or "current" or "p" or "blocks";

    private static string Blocks(SequentialVerdict verdict) => $"{verdict.Rows[0].Check.Blocks}";

    private static Run Built() =>
        Run("b", [Case, s_long]).Built("feed").Changed("b", sample => sample.Case == s_long ? Slower(sample, 1.2) : sample);

    /// <summary>Blocks until both cases are decided: the first one without a change, the second one that much slower.</summary>
    private static SequentialVerdict Verdict(Run baseline, Run current, double slower)
    {
        SequentialGate gate = new([s_name, s_longName], new GateOptions { Metrics = ["decode_tps"] });
        for (int i = 0; gate.Undecided.Count > 0 && i < 20; i++)
        {
            gate.AddBlock(s_name, Samples($"x{i}", 1), Samples($"y{i}", 1));
            gate.AddBlock(s_longName, Samples($"v{i}", 1), Samples($"w{i}", slower));
        }

        return SequentialVerdict.Of(gate, s_pairs, baseline, current, seed: 7, ended: "Everything is decided");
    }

    private static IReadOnlyList<Sample> Samples(string id, double slower) =>
        Run(id, slower: slower, launches: 2, iterations: 3).Cases[0].Samples;
}
