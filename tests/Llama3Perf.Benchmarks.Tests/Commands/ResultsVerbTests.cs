using System.Text.Json;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Commands;

/// <summary>The verbs that read runs, on runs that were written and not measured.</summary>
[Collection(nameof(CliSession))]
public sealed class ResultsVerbTests : IDisposable
{
    private const string StepSummary = "GITHUB_STEP_SUMMARY";

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-verbs-").FullName;

    private readonly string? _stepSummary = Environment.GetEnvironmentVariable(StepSummary);

    public ResultsVerbTests() => Environment.SetEnvironmentVariable(StepSummary, null);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(StepSummary, _stepSummary);
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Compare_finds_the_field_that_differs()
    {
        string two = Write("two", [SyntheticRuns.Case(threads: 2)]);
        string four = Write("four", [SyntheticRuns.Case(threads: 4)], speed: 1.5);

        (int exitCode, string output, string error) = CliSession.Run("compare", two, four, "--output", PathOf("comparison"));

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains("Compared over threads.", output, StringComparison.Ordinal);
        Assert.Contains("faster", output, StringComparison.Ordinal);
        Assert.Equal(["comparison.csv", "comparison.json", "comparison.md"], FilesIn("comparison"));
        Assert.All(
            FilesIn("comparison"),
            file => Assert.Contains(Path.Combine(PathOf("comparison"), file), output, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Compare_refuses_runs_that_differ_in_more_and_names_the_fields()
    {
        string one = Write("one", [SyntheticRuns.Case(threads: 2)]);
        string other = Write("other", [SyntheticRuns.Case(threads: 4) with { MaxLength = 32 }]);

        Assert.Contains("threads", OneLine(ExitCode.Input, "compare", one, other), StringComparison.Ordinal);
        Assert.Contains("max_length", OneLine(ExitCode.Input, "compare", one, other), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Success, CliSession.Run("compare", one, other, "--vary", "threads,max_length").ExitCode);
    }

    [Fact]
    public void Gate_passes_a_run_against_itself()
    {
        string run = Write("run", [SyntheticRuns.Case()]);

        (int exitCode, string output, string error) = Gate(run, run);

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains("Gate: pass", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Gate_is_red_when_decoding_lost_a_tenth_and_names_the_case()
    {
        CaseKey slower = SyntheticRuns.Case("pp16");
        Run good = SyntheticRuns.Of("good", [SyntheticRuns.Case(), slower]);
        string baseline = good.Write(PathOf("good"));
        string current = good.With("bad", sample => sample.Case == slower ? sample with { DecodeTps = sample.DecodeTps * 0.9 } : sample)
            .Write(PathOf("bad"));
        Environment.SetEnvironmentVariable(StepSummary, PathOf("summary.md"));
        File.WriteAllText(PathOf("summary.md"), "an earlier step\n");

        (int exitCode, string output, string error) = Gate(baseline, current, "--json", PathOf("new/verdict.json"));

        Assert.Equal((ExitCode.Failed, ""), (exitCode, error));
        string red = output.Split('\n').Single(line => line.Contains("REGRESSION", StringComparison.Ordinal) && line.StartsWith('|'));
        Assert.Contains(CaseId.For(slower), red, StringComparison.Ordinal);
        Assert.Contains("decode_tps", red, StringComparison.Ordinal);
        Assert.StartsWith("an earlier step\n## Gate: FAIL, regression", File.ReadAllText(PathOf("summary.md")), StringComparison.Ordinal);
        using JsonDocument verdict = JsonDocument.Parse(File.ReadAllText(PathOf("new/verdict.json")));
        Assert.Equal(1, verdict.RootElement.GetProperty("exit_code").GetInt32());
        Assert.Equal(["verdict.json"], FilesIn("new"));
    }

    [Fact]
    public void Gate_fails_when_a_case_is_missing()
    {
        CaseKey lost = SyntheticRuns.Case("pp16");
        string baseline = Write("whole", [SyntheticRuns.Case(), lost]);
        string current = Write("part", [SyntheticRuns.Case()]);

        (int exitCode, string output, _) = Gate(baseline, current);

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains(CaseId.For(lost), output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fail", 3)]
    [InlineData("pass", 0)]
    public void Too_few_samples_decide_nothing(string choice, int expected)
    {
        string baseline = Write("one", [SyntheticRuns.Case()], launches: 1, iterations: 3);
        string current = Write("other", [SyntheticRuns.Case()], launches: 1, iterations: 3);

        (int exitCode, string output, _) = Gate(baseline, current, "--inconclusive", choice);

        Assert.Equal(expected, exitCode);
        Assert.Contains("inconclusive", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_one_line_that_names_it()
    {
        string good = Write("good", [SyntheticRuns.Case()]);
        string damaged = Write("damaged", [SyntheticRuns.Case()]);
        string samples = Path.Combine(damaged, RunFolder.Samples);
        string text = File.ReadAllText(samples);
        File.WriteAllText(samples, text[..(text.Length / 2)]);

        Assert.Contains(samples, OneLine(ExitCode.Input, "gate", "--baseline", good, "--current", damaged), StringComparison.Ordinal);
        Assert.Contains(samples, OneLine(ExitCode.Input, "compare", good, damaged), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("compare", "run")]
    [InlineData("compare {run} --metric speed", "speed")]
    [InlineData("compare {run} --vary colour", "colour")]
    [InlineData("compare {run} {other} --baseline 9", "'9'")]
    [InlineData("compare {run} {other} --threshold 0", "threshold")]
    [InlineData("gate --current {run}", "--baseline")]
    [InlineData("gate --baseline {run}", "--current")]
    [InlineData("gate --baseline {run} --current {run} --threshold 0", "threshold")]
    [InlineData("gate --baseline {run} --current {run} --threshold much", "'much'")]
    [InlineData("gate --baseline {run} --current {run} --alpha 60%", "alpha")]
    [InlineData("gate --baseline {run} --current {run} --metric speed", "speed")]
    [InlineData("gate --baseline {run} --current {run} --metric article_tps", "article_tps")]
    [InlineData("gate --baseline {run} --current {run} --inconclusive maybe", "'maybe'")]
    [InlineData("gate --baseline {run} --current {run} --vary colour", "colour")]
    [InlineData("gate --baseline {run} --current {run} --baseline-build x", "--confirm")]
    [InlineData("noise {run} --metric speed", "speed")]
    [InlineData("noise {run} --launches 0", "'0'")]
    [InlineData("export {run} --format xml", "'xml'")]
    [InlineData("export {run}", "--format")]
    [InlineData("report", "run")]
    [InlineData("simulate-gate --trials none", "'none'")]
    [InlineData("simulate-gate --design 3", "'3'")]
    [InlineData("simulate-gate --design 0x5", "'0'")]
    [InlineData("simulate-gate --threshold 0 --trials 1", "threshold")]
    [InlineData("simulate-gate --alpha 60% --trials 1", "alpha")]
    [InlineData("compare {run} {other} --alpha 60%", "alpha")]
    [InlineData("probe --nonsense", "--nonsense")]
    public void A_usage_mistake_is_one_line(string line, string expected)
    {
        string run = Write("run", [SyntheticRuns.Case()]);
        string other = Write("other", [SyntheticRuns.Case()]);

        string error = OneLine(
            ExitCode.Usage,
            [
                .. line.Split(' ')
                    .Select(word =>
                        word.Replace("{run}", run, StringComparison.Ordinal).Replace("{other}", other, StringComparison.Ordinal)
                    ),
            ]
        );

        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_that_holds_no_run_is_one_line()
    {
        string run = Write("run", [SyntheticRuns.Case()]);
        string nothing = PathOf("nothing");
        string file = Path.Combine(run, RunFolder.Results);
        foreach (
            string[] arguments in (string[][])
                [
                    ["compare", run, nothing],
                    ["gate", "--baseline", nothing, "--current", run],
                    ["noise", nothing],
                    ["report", nothing],
                    ["export", nothing, "--format", "bencher"],
                ]
        )
        {
            Assert.Contains(nothing, OneLine(ExitCode.Input, arguments), StringComparison.Ordinal);
        }

        // Where a file is in the way of a folder.
        foreach (
            string[] arguments in (string[][])
                [
                    ["gate", "--baseline", run, "--current", run, "--json", $"{file}/verdict.json"],
                    ["noise", run, "--output", $"{file}/noise.json"],
                    ["report", run, "--output", $"{file}/report.html"],
                    ["export", run, "--format", "bencher", "--output", $"{file}/export"],
                ]
        )
        {
            Assert.Contains(file, OneLine(ExitCode.Input, arguments), StringComparison.Ordinal);
        }

        Environment.SetEnvironmentVariable(StepSummary, $"{file}/summary.md");
        Assert.Contains(StepSummary, OneLine(ExitCode.Input, "gate", "--baseline", run, "--current", run), StringComparison.Ordinal);
    }

    [Fact]
    public void Noise_is_recorded_and_the_gate_warns_of_a_threshold_below_it()
    {
        string noisy = Write("noisy", [SyntheticRuns.Case()], launches: 10, spread: 0.2);

        (int exitCode, string output, string error) = CliSession.Run("noise", noisy, "--output", PathOf("noise.json"));

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains(CaseId.For(SyntheticRuns.Case()), output, StringComparison.Ordinal);
        Assert.Contains(PathOf("noise.json"), output, StringComparison.Ordinal);

        (int gated, string warned, _) = Gate(noisy, noisy, "--noise", PathOf("noise.json"), "--threshold", "1%");
        Assert.Equal(3, gated);
        Assert.Contains("below the noise floor", warned, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "below the noise floor",
            Gate(noisy, noisy, "--noise", PathOf("noise.json"), "--threshold", "90%").Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("github-action-benchmark", 2)]
    [InlineData("bencher", 1)]
    public void Export_writes_json(string format, int files)
    {
        string run = Write("run", [SyntheticRuns.Case()]);

        (int exitCode, string output, string error) = CliSession.Run("export", run, "--format", format, "--output", PathOf("export"));

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        string[] written = output.TrimEnd().Split('\n', StringSplitOptions.TrimEntries);
        Assert.Equal(files, written.Length);
        Assert.All(written, file => JsonDocument.Parse(File.ReadAllText(file)).Dispose());
    }

    [Fact]
    public void Report_is_one_page_with_charts_beside_it_when_asked()
    {
        string run = Write("run", [SyntheticRuns.Case()]);

        (int exitCode, string output, string error) = CliSession.Run(
            "report",
            run,
            "--output",
            PathOf("page/report.html"),
            "--charts",
            PathOf("charts")
        );

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Equal(["report.html"], FilesIn("page"));
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(PathOf("page/report.html")), StringComparison.Ordinal);
        Assert.Contains(FilesIn("charts"), file => file.EndsWith(".png", StringComparison.Ordinal));
        Assert.Contains(FilesIn("charts"), file => file.EndsWith(".svg", StringComparison.Ordinal));
        Assert.Equal(FilesIn("charts").Length + 1, output.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public void Simulated_gates_find_a_loss_of_a_tenth()
    {
        (int exitCode, string output, _) = CliSession.Run(
            "simulate-gate",
            "--trials",
            "50",
            "--design",
            "5x5",
            "--between",
            "0%,10%",
            "--within",
            "1%"
        );

        Assert.Equal(ExitCode.Success, exitCode);
        string[] rows = [.. output.Split('\n').Where(line => line.TrimStart(' ').StartsWith("5 x 5", StringComparison.Ordinal))];
        Assert.Equal(2, rows.Length);
        Assert.Equal("0.00 % | 100.00 %", string.Join(" | ", Cells(rows[0])[3..5]));
        Assert.Equal("100.00 % | 0.00 %", string.Join(" | ", Cells(rows[0])[8..10]));
    }

    // Columns of a plain table stand two blanks apart.
    private static string[] Cells(string row) => row.Split("  ", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public void Simulated_measurements_in_blocks_stop_when_they_are_decided()
    {
        (int exitCode, string output, _) = CliSession.Run("simulate-gate", "--blocks", "12", "--trials", "100", "--between", "1%");

        Assert.Equal(ExitCode.Success, exitCode);
        string row = Assert.Single(output.Split('\n'), line => line.TrimStart(' ').StartsWith("1 %", StringComparison.Ordinal));
        Assert.Equal("100.00 %", Cells(row)[3]);
        Assert.Contains("'1'", OneLine(ExitCode.Usage, "simulate-gate", "--blocks", "1"), StringComparison.Ordinal);
    }

    [Fact]
    public void One_launch_is_decided_by_the_noise_of_its_machine_and_not_by_that_of_another()
    {
        string noisy = Write("noisy", [SyntheticRuns.Case()], launches: 10, spread: 0.005);
        Assert.Equal(ExitCode.Success, CliSession.Run("noise", noisy, "--output", PathOf("noise.json")).ExitCode);
        string one = Write("one", [SyntheticRuns.Case()], launches: 1);
        string other = Write("other", [SyntheticRuns.Case()], launches: 1);
        Assert.Equal(3, Gate(one, other).ExitCode);
        Assert.Equal(ExitCode.Success, Gate(one, other, "--noise", PathOf("noise.json")).ExitCode);
        Assert.Contains("pass", CliSession.Run("compare", one, other, "--noise", PathOf("noise.json")).Output, StringComparison.Ordinal);

        File.WriteAllText(PathOf("noise.json"), File.ReadAllText(PathOf("noise.json")).Replace("m-1", "m-2", StringComparison.Ordinal));
        (int exitCode, string output, _) = Gate(one, other, "--noise", PathOf("noise.json"));
        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains("the noise record is of machine m-2, the runs are of m-1", output, StringComparison.Ordinal);
        Assert.Contains("m-2", OneLine(ExitCode.Input, "compare", one, other, "--noise", PathOf("noise.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_tells_people_and_programs_the_same()
    {
        (int exitCode, string output, string error) = CliSession.Run("probe");
        (int jsonExitCode, string json, string jsonError) = CliSession.Run("probe", "--json");

        Assert.Equal((ExitCode.Success, "", ExitCode.Success, ""), (exitCode, error, jsonExitCode, jsonError));
        using JsonDocument probe = JsonDocument.Parse(json);
        Assert.Contains(probe.RootElement.GetProperty("machine").GetProperty("machine_id").GetString()!, output, StringComparison.Ordinal);
        Assert.NotEmpty(probe.RootElement.GetProperty("libraries").EnumerateArray());
        Assert.All(
            probe.RootElement.GetProperty("libraries").EnumerateArray(),
            library => Assert.Contains(library.GetProperty("path").GetString()!, output, StringComparison.Ordinal)
        );
        Assert.Contains(
            probe.RootElement.GetProperty("engines").EnumerateArray(),
            row => row.GetProperty("provider").GetString() == "cpu" && row.GetProperty("is_available").GetBoolean()
        );
        Assert.Contains($"A run would take {probe.RootElement.GetProperty("choice").GetString()}.", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_no_engine_can_run_probe_says_that_a_run_would_measure_nothing()
    {
        string[] libraries =
            OperatingSystem.IsWindows() ? ["onnxruntime.dll", "llama.dll"]
            : OperatingSystem.IsMacOS() ? ["libonnxruntime.dylib", "libllama.dylib"]
            : ["libonnxruntime.so", "libllama.so"];
        foreach (string library in libraries)
        {
            File.WriteAllText(PathOf(library), "no library");
        }

        (int exitCode, string output, string error) = ProgramProcess.Run(_folder, ["probe", "--runtime-dir", _folder]);

        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.Contains(
            "A run would measure nothing, for no engine of this process can run here: "
                + $"{PathOf(libraries[0])} is not a native library.",
            output,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("would take", output, StringComparison.Ordinal);
    }

    private static string OneLine(int expected, params string[] arguments)
    {
        (int exitCode, string output, string error) = CliSession.Run(arguments);
        Assert.Equal((expected, true), (exitCode, error.StartsWith("error: ", StringComparison.Ordinal)));
        Assert.Single(error.TrimEnd().Split('\n'));
        Assert.DoesNotContain("(Parameter", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output + error, StringComparison.Ordinal);
        return error;
    }

    private static (int ExitCode, string Output, string Error) Gate(string baseline, string current, params string[] more) =>
        CliSession.Run(["gate", "--baseline", baseline, "--current", current, .. more]);

    private string Write(
        string id,
        IReadOnlyList<CaseKey> cases,
        double speed = 1,
        int launches = 3,
        int iterations = 5,
        double spread = 0.005
    ) => SyntheticRuns.Of(id, cases, speed, launches, iterations, spread).Write(PathOf(id));

    private string[] FilesIn(string folder) =>
        [.. Directory.EnumerateFiles(PathOf(folder)).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    private string PathOf(string name) => Path.Combine(_folder, name);
}
