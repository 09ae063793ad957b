using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>The gate never judges a part of a run, and says what is odd about whole ones. One row a scenario: what was done to the current
/// run, and what comes of it.</summary>
[Collection(nameof(CliSession))]
public sealed class GateScenarioTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-scenario-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(
        "cut at a line end",
        ExitCode.Input,
        "5 completed samples of 'llama-tiny-int4-b32/ort-cpu/pp8/l24/t2', results.csv counted 15"
    )]
    [InlineData("no results.csv", ExitCode.Input, "there is no results.csv beside")]
    [InlineData("bare samples of a failed case", ExitCode.Input, "failed: the process ended with code 139")]
    [InlineData("metric in 9 of 15 rows", ExitCode.Input, "decode_tps stands in 9 of 15 samples of run current")]
    [InlineData("interrupted", ExitCode.Input, "was interrupted: 2 of 3 launches were measured")]
    [InlineData("a case is gone", ExitCode.Input, "current: not there")]
    [InlineData("a case that results.csv does not know", ExitCode.Input, "results.csv lacks '")]
    public void A_part_of_a_run_is_not_judged(string damage, int exitCode, string reason)
    {
        (int actual, string output, string error) = Gate(damage);

        Assert.Contains(reason, output + error, StringComparison.Ordinal);
        Assert.Equal(exitCode, actual);
    }

    [Theory]
    [InlineData("no results.csv")]
    [InlineData("metric in 9 of 15 rows")]
    [InlineData("interrupted")]
    public void With_the_option_it_is(string damage)
    {
        (int actual, string output, _) = Gate(damage, "--allow-partial", "--inconclusive", "pass");

        Assert.Equal(ExitCode.Success, actual);
        Assert.Matches("only a part of a run|stands in 9 of 15", output);
    }

    [Theory]
    [InlineData("older", "the current run current is older than the baseline base")]
    [InlineData("same samples", "run current holds samples of run base")]
    [InlineData("another processor", "the processors differ: a CPU in the baseline base, another CPU in the current run")]
    [InlineData("a folder without a run", "was skipped: it has no samples.csv")]
    [InlineData("skipped in the baseline", "baseline: skipped: not here; current: measured")]
    public void What_is_odd_is_said(string oddity, string note)
    {
        (_, string output, string error) = Gate(oddity);

        Assert.Contains(note, output + error, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output, string Error) Gate(string scenario, params string[] more)
    {
        CaseKey[] cases = [SyntheticRuns.Case(), SyntheticRuns.Case("pp16")];
        Run good = SyntheticRuns.Of("base", cases);
        Run current = SyntheticRuns.Of("current", cases).With("current", sample => sample with { StartUtc = sample.StartUtc.AddDays(1) });
        current = current with { Identity = current.Identity with { TestTime = current.Identity.TestTime.AddDays(1) } };
        current = Same(
            scenario switch
            {
                "interrupted" => current with { Cases = [Part(current.Cases[0]), current.Cases[1]] },
                "bare samples of a failed case" => current with
                {
                    Cases =
                    [
                        current.Cases[0] with
                        {
                            Status = CaseStatus.Failed,
                            Error = "the process ended with code 139",
                        },
                        current.Cases[1],
                    ],
                },
                "a case is gone" => current with { Cases = [current.Cases[0]] },
                "older" => current with { Identity = current.Identity with { TestTime = good.Identity.TestTime.AddDays(-1) } },
                "same samples" => good with { Identity = good.Identity with { RunId = "current" } },
                "another processor" => current with
                {
                    Environment = current.Environment with { CpuName = "another CPU", MachineId = "m-2" },
                },
                _ => current,
            }
        );
        if (scenario == "skipped in the baseline")
        {
            good = good with
            {
                Cases = [good.Cases[0] with { Status = CaseStatus.Skipped, Error = "not here", Samples = [] }, good.Cases[1]],
            };
        }

        string baselinePath = good.Write(Path.Combine(_folder, "baselines", "one"));
        string path = current.Write(Path.Combine(_folder, "current"));
        string samples = Path.Combine(path, RunFolder.Samples);
        switch (scenario)
        {
            case "cut at a line end":
                WriteLines(samples, File.ReadAllLines(samples)[..6]);
                break;
            case "no results.csv":
                File.Delete(Path.Combine(path, RunFolder.Results));
                break;
            case "bare samples of a failed case":
                path = samples;
                break;
            case "metric in 9 of 15 rows":
                Blank(samples, "decode_tps", rows: 6);
                break;
            case "a case that results.csv does not know":
                RemoveRow(Path.Combine(path, RunFolder.Results), "pp16");
                break;
            case "a folder without a run":
                Directory.CreateDirectory(Path.Combine(_folder, "baselines", "two"));
                baselinePath = Path.Combine(_folder, "baselines", "*");
                break;
            default:
                break;
        }

        string[] vary = scenario == "another processor" ? ["--vary", "machine_id"] : [];
        return CliSession.Run(["gate", "--baseline", baselinePath, "--current", path, .. vary, .. more]);
    }

    private static CaseOutcome Part(CaseOutcome outcome) =>
        outcome with
        {
            Status = CaseStatus.Interrupted,
            Error = "2 of 3 launches were measured",
            Samples = [.. outcome.Samples.Where(sample => sample.LaunchIndex < 3)],
        };

    // The samples follow what their run says of itself.
    private static Run Same(Run run) =>
        run with
        {
            Cases =
            [
                .. run.Cases.Select(outcome =>
                    outcome with
                    {
                        Samples = [.. outcome.Samples.Select(sample => sample with { Run = run.Identity, Environment = run.Environment })],
                    }
                ),
            ],
        };

    private static void Blank(string path, string column, int rows)
    {
        string[] lines = File.ReadAllLines(path);
        int index = Array.IndexOf(lines[0].Split(','), column);
        for (int i = 1; i <= rows; i++)
        {
            string[] cells = lines[i].Split(',');
            cells[index] = "";
            lines[i] = string.Join(',', cells);
        }

        WriteLines(path, lines);
    }

    private static void RemoveRow(string path, string text) =>
        WriteLines(path, File.ReadAllLines(path).Where(line => !line.Contains(text, StringComparison.Ordinal)));

    // As the suite ends them on every system.
    private static void WriteLines(string path, IEnumerable<string> lines) =>
        File.WriteAllText(path, string.Concat(lines.Select(line => line + "\n")));
}
