using Llama3Perf.Results.Comparison;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Gate;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Schema;

namespace Llama3Perf.Results.Tests.Files;

/// <summary>OlderRuns/ holds runs as versions 1 and 2 of the suite wrote them; they are never written anew.</summary>
public sealed class OlderFileTests
{
    private const string Remark =
        "samples.csv has schema version 2, without engine_options and build_configuration: its cases match only engine_options default and "
        + "build_configuration Release";

    [Fact]
    public void Version_1_is_read_and_what_it_lacks_is_unknown()
    {
        Run run = Assert.Single(RunReader.Read(Older("v1"), withTokens: true));

        Assert.Equal(TestRuns.Identity, run.Identity);
        Assert.Equal(TestRuns.Environment, run.Environment);
        Assert.Equal([CaseStatus.Ok, CaseStatus.Failed, CaseStatus.Skipped], run.Cases.Select(outcome => outcome.Status));
        Assert.Equal(TestRuns.Case with { BuildConfiguration = null }, run.Cases[0].Case);
        Assert.Equal(6, run.Cases[0].Samples.Count);
        Assert.All(run.Cases[0].Samples, sample => Assert.Equal((null, 4), (sample.ClockDisagreementMs, sample.TokenMs.Count)));
        Assert.Empty(run.Cases[0].Notes);
    }

    [Fact]
    public void Version_2_is_read_and_said_to_be_old()
    {
        Run run = Assert.Single(RunReader.Read(Older("v2")));

        Assert.Equal([15, 15], run.Cases.Select(outcome => outcome.Samples.Count));
        Assert.All(run.Cases, outcome => Assert.Equal((null, null), (outcome.Case.EngineOptions, outcome.Case.BuildConfiguration)));
        Assert.EndsWith(Remark, Assert.Single(run.Remarks));

        // What only results.csv had stands in the samples now.
        Assert.All(
            run.Cases[0].Samples,
            sample => Assert.Equal((183.712, 27.1978, null), (sample.ModelLoadMs, sample.FirstRunMs, sample.PeakGpuBytes))
        );
    }

    [Fact]
    public void Columns_of_an_older_file_are_found_by_name()
    {
        using TestFolder folder = new();
        string[][] rows = [.. File.ReadAllLines(Path.Combine(Older("v2"), RunFolder.Samples)).Select(line => line.Split(','))];
        File.WriteAllText(folder.File("turned.csv"), string.Concat(rows.Select(row => string.Join(',', row.Reverse()) + "\n")));

        Run run = Assert.Single(RunReader.Read(folder.File("turned.csv")));
        Run original = RunReader.Read(Path.Combine(Older("v2"), RunFolder.Samples))[0];

        Assert.Equal(
            original.Cases.SelectMany(outcome => outcome.Samples).Select(sample => (sample.Case, sample.DecodeTps)),
            run.Cases.SelectMany(outcome => outcome.Samples).Select(sample => (sample.Case, sample.DecodeTps))
        );
    }

    [Theory]
    [InlineData("ttft_ms,", "first_ms,", "row 1, column 10: schema version 2 has no 'first_ms'")]
    [InlineData("ttft_ms,", "e2e_ms,", "row 1, column 12: 'e2e_ms' stands twice")]
    [InlineData(",completed,", ",", "row 1, schema version 2 has a column 'completed', and this header has not")]
    [InlineData("engine_versions", "engine_options", "row 1, column 26: schema version 2 has no 'engine_options'")]
    [InlineData(
        "\n2,20261127-013839-248e,llama-tiny-int4-b32/ort-cpu/pp8/l24/t2,1,3,",
        "\n3,20261127-013839-248e,llama-tiny-int4-b32/ort-cpu/pp8/l24/t2,1,3,",
        "row 4, column schema_version: '3' stands where the first row has '2'"
    )]
    [InlineData("\n2,", "\n0,", "row 2, column schema_version: '0' is not a schema version from 1 to 4")]
    public void An_older_file_is_read_as_strictly(string old, string damaged, string message)
    {
        using TestFolder folder = new();
        string text = File.ReadAllText(Path.Combine(Older("v2"), RunFolder.Samples));
        File.WriteAllText(folder.File("damaged.csv"), text.Replace(old, damaged));

        Assert.Contains(message, Assert.Throws<RunFileException>(() => RunReader.Read(folder.File("damaged.csv"))).Message);
    }

    [Fact]
    public void An_older_run_that_measured_nothing_is_read()
    {
        using TestFolder folder = new();
        foreach (string name in new[] { RunFolder.Samples, RunFolder.Results })
        {
            File.Copy(Path.Combine(Older("v2"), name), folder.File(name));
        }

        File.WriteAllText(folder.File(RunFolder.Samples), File.ReadAllLines(folder.File(RunFolder.Samples))[0] + "\n");

        Assert.All(RunReader.Read(folder.Path)[0].Cases, outcome => Assert.Equal(CaseStatus.Failed, outcome.Status));
    }

    [Fact]
    public void An_older_run_is_compared_with_a_new_one_that_has_the_defaults()
    {
        Run older = RunReader.Read(Older("v2"))[0];

        RunComparison comparison = RunComparison.Of(
            [older, Newer(older, key => key with { BuildConfiguration = "Release" })],
            new ComparisonOptions()
        );

        Assert.Empty(comparison.Vary);
        Assert.Empty(comparison.Unmatched);
        Assert.All(comparison.Rows, row => Assert.Equal(1, row.Cells[1]!.Judgement!.Ratio.Ratio, 9));
        Assert.Contains(ComparisonTable.Notes(comparison), note => note.EndsWith(Remark, StringComparison.Ordinal));
    }

    [Fact]
    public void An_older_run_differs_from_one_with_other_options()
    {
        Run older = RunReader.Read(Older("v2"))[0];
        Run options = Newer(older, key => key with { EngineOptions = "graph-optimization=none", BuildConfiguration = "Release" });
        Run debug = Newer(older, key => key with { BuildConfiguration = "Debug" });

        Assert.Equal(["engine_options"], RunComparison.Of([older, options], new ComparisonOptions()).Vary);
        GateFinding finding = Assert.Single(RegressionGate.Judge([older], debug, new GateOptions()).Findings);
        Assert.Equal(GateFindingKind.Incomparable, finding.Kind);
        Assert.Contains("build_configuration (not said, so Release | Debug)", finding.Message);
    }

    [Fact]
    public void A_new_run_is_gated_against_an_older_one()
    {
        Run older = RunReader.Read(Older("v2"))[0];

        GateVerdict verdict = RegressionGate.Judge(
            [older],
            Newer(older, key => key with { BuildConfiguration = "Release" }),
            new GateOptions()
        );

        Assert.Equal(4, verdict.Checks.Count);
        Assert.DoesNotContain(verdict.Findings, finding => finding.Kind != GateFindingKind.Note);
        Assert.Contains(verdict.Findings, finding => finding.Message.EndsWith(Remark, StringComparison.Ordinal));
    }

    [Fact]
    public void What_files_may_lack_may_be_unknown()
    {
        Assert.All(
            SampleSchema.Table.Columns.Where(column => column.Since > 1),
            column => Assert.EndsWith("or empty", Expected(column.Expected))
        );
        Assert.All(
            ResultSchema.Table.Columns.Where(column => column.Since > 1),
            column => Assert.EndsWith("or empty", Expected(column.Expected))
        );

        // A text that may be empty is not said to be.
        static string Expected(string expected) => expected == "a text of printable characters" ? "or empty" : expected;
    }

    private static string Older(string version) => Path.Combine(Fixtures.Root, "tests", "Llama3Perf.Results.Tests", "OlderRuns", version);

    /// <summary>The same figures as this version writes them, read back.</summary>
    private static Run Newer(Run older, Func<CaseKey, CaseKey> change)
    {
        using TestFolder folder = new();
        RunIdentity identity = older.Identity with { RunId = "20261128-120000-0001" };
        RunWriter.Write(
            older with
            {
                Identity = identity,
                Cases =
                [
                    .. older.Cases.Select(outcome =>
                        outcome with
                        {
                            Case = change(outcome.Case),
                            Samples = [.. outcome.Samples.Select(sample => sample with { Run = identity, Case = change(outcome.Case) })],
                        }
                    ),
                ],
            },
            folder.File("run")
        );
        return RunReader.Read(folder.File("run"))[0];
    }
}
