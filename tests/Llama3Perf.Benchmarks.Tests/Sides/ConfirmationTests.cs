using System.Text.Json;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Benchmarks.Sides;
using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Sides;

[Collection(nameof(CliSession))]
public sealed class ConfirmationTests : IDisposable
{
    private static readonly CaseKey[] s_cases = [SyntheticRuns.Case("pp4"), SyntheticRuns.Case("pp8")];

    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-confirm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Launches_become_one_run_that_can_be_written()
    {
        Run[] launches =
        [
            .. Enumerable.Range(1, 3).Select(n => SyntheticRuns.Of($"launch-{n}", [s_cases[0]], speed: n, launches: 1, iterations: 4)),
        ];
        Run planned = SyntheticRuns.Of("planned", s_cases);
        planned = planned with
        {
            Cases = [.. planned.Cases.Select(outcome => outcome with { Status = CaseStatus.Interrupted, Samples = [] })],
        };

        Run whole = OlderSide.Join(planned, Of(launches));
        whole.Write(PathOf("joined"));

        Run joined = RunReader.Read(PathOf("joined")).Single();
        Assert.Equal("launch-1", joined.Identity.RunId);
        Assert.Equal([CaseStatus.Ok, CaseStatus.Interrupted], joined.Cases.Select(outcome => outcome.Status));
        Assert.Equal(
            from launch in Enumerable.Range(1, 3)
            from iteration in Enumerable.Range(1, 4)
            select (launch, iteration),
            joined.Cases[0].Samples.Select(sample => (sample.LaunchIndex, sample.Iteration))
        );
        Assert.Equal(
            launches.SelectMany(run => run.Cases[0].Samples).Select(sample => sample.DecodeTps!.Value),
            joined.Cases[0].Samples.Select(sample => sample.DecodeTps!.Value),
            (expected, actual) => Math.Abs(expected - actual) < 1e-6
        );
        Assert.All(whole.Cases[0].Samples, sample => Assert.Equal((101, 21), (sample.ModelLoadMs, sample.FirstRunMs)));
    }

    [Fact]
    public void A_case_that_one_launch_did_not_measure_is_not_measured()
    {
        Run good = SyntheticRuns.Of("good", [s_cases[0]], launches: 1);
        Run bad = good with { Cases = [good.Cases[0] with { Status = CaseStatus.Failed, Error = "it broke", Samples = [] }] };

        Run joined = OlderSide.Join(good, Of([good, bad]));

        Assert.Equal((CaseStatus.Failed, "it broke"), (joined.Cases[0].Status, joined.Cases[0].Error));
    }

    private static Dictionary<string, List<Run>> Of(Run[] launches) => new() { [launches[0].Cases[0].CaseId] = [.. launches] };

    [Theory]
    [InlineData(null)]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"Directory":"/there/is/no/such/folder","Arguments":[]}""")]
    public void A_run_that_cannot_be_measured_again_is_one_line(string? invocation)
    {
        string baseline = SyntheticRuns.Of("baseline", s_cases).Write(PathOf("baseline"));
        string current = SyntheticRuns.Of("current", s_cases, speed: 0.5).Write(PathOf("current"));
        if (invocation is not null)
        {
            File.WriteAllText(Path.Combine(current, "invocation.json"), invocation);
        }

        (int exitCode, _, string error) = CliSession.Run("gate", "--baseline", baseline, "--current", current, "--confirm");

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.StartsWith("error: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("--runtime-dir /tmp/evil", "names --runtime-dir /tmp/evil (outside the repository)")]
    [InlineData("--engine external:{shell}", "names the engine external:{shell}")]
    [InlineData("--python /tmp/evil", "names --python")]
    [InlineData("--llama-bench /tmp/evil", "names --llama-bench")]
    [InlineData("--session-entry session.load_model_format=ORT", "names --session-entry")]
    [InlineData("--peer-option trust_remote_code=true", "names --peer-option")]
    [InlineData("--corerun /tmp/evil", "names --corerun, which is BenchmarkDotNet's")]
    [InlineData("build --model llama-tiny", "names build")]
    public void Nothing_is_executed_that_a_results_folder_names(string line, string expected)
    {
        string baseline = SyntheticRuns.Of("baseline", s_cases).Write(PathOf("baseline"));
        string current = SyntheticRuns.Of("current", s_cases, speed: 0.5).Write(PathOf("current"));
        string shell = OperatingSystem.IsWindows() ? "cmd" : "sh";
        new RunInvocation(Environment.CurrentDirectory, line.Replace("{shell}", shell, StringComparison.Ordinal).Split(' ')).Write(current);

        (int exitCode, string output, string error) = CliSession.Run("gate", "--baseline", baseline, "--current", current, "--confirm");

        Assert.Equal(ExitCode.Input, exitCode);
        Assert.Contains(expected.Replace("{shell}", shell, StringComparison.Ordinal), error, StringComparison.Ordinal);
        Assert.Contains("--trust-invocation", error, StringComparison.Ordinal);
        Assert.DoesNotContain("again", output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_red_is_not_measured_again()
    {
        string run = SyntheticRuns.Of("run", s_cases).Write(PathOf("run"));

        Assert.Equal(ExitCode.Success, CliSession.Run("gate", "--baseline", run, "--current", run, "--confirm").ExitCode);
    }

    [Fact]
    public void Red_stays_red_only_if_measuring_again_shows_it_again()
    {
        string[] arguments =
        [
            "--quick",
            "--isolation",
            "none",
            "--engine",
            "ort",
            "--model",
            "llama-tiny",
            "--precision",
            "int4",
            "--prompt",
            "pp4,pp8",
            "--max-length",
            "16",
            "--warmup",
            "0",
            "--launches",
            "3",
            "--iterations",
            "3",
        ];
        (int measured, _, string measuredError) = CliSession.Run([.. arguments, "--output", PathOf("measured")]);
        Assert.Equal((ExitCode.Success, ""), (measured, measuredError));
        Run real = RunReader.Read(PathOf("measured")).Single();

        // The baseline of pp4 is out of reach. The one of pp8 is not: only the run to judge was slow. Both by far more than any noise.
        string baseline = real.With("baseline", sample => Steady(sample, sample.Case.PromptId == "pp4" ? 1e6 : 1))
            .Write(PathOf("baseline"));
        string current = real.With("current", sample => Steady(sample, sample.Case.PromptId == "pp4" ? 1e4 : 0.01))
            .Write(PathOf("current"));
        new RunInvocation(Environment.CurrentDirectory, arguments).Write(current);

        (int exitCode, string output, string error) = CliSession.Run(
            "gate",
            "--baseline",
            baseline,
            "--current",
            current,
            "--metric",
            "decode_tps",
            "--confirm",
            "--json",
            PathOf("verdict.json")
        );

        Assert.Equal("", error);
        Assert.Contains("Measuring 2 red cases again", output, StringComparison.Ordinal);
        using JsonDocument verdict = JsonDocument.Parse(File.ReadAllText(PathOf("verdict.json")));
        Dictionary<string, string> outcomes = verdict
            .RootElement.GetProperty("checks")
            .EnumerateArray()
            .ToDictionary(check => check.GetProperty("case_id").GetString()!.Split('/')[2], Outcome);
        Assert.Equal(outcomes["pp4"] == "regression" ? ExitCode.Failed : 3, exitCode);
        Assert.Contains(outcomes["pp4"], (string[])["regression", "unsteady"]);
        Assert.Contains(outcomes["pp8"], (string[])["not confirmed", "unsteady"]);

        // What is measured again is measured here: a busy machine decides nothing, and says why.
        static string Outcome(JsonElement check)
        {
            string outcome = check.GetProperty("outcome").GetString()!;
            return outcome == "inconclusive" && check.GetProperty("reason").GetString()!.Contains("unsteady", StringComparison.Ordinal)
                ? "unsteady"
                : outcome;
        }
    }

    private static Sample Steady(Sample sample, double rate) =>
        sample with
        {
            DecodeTps = rate * (1 + (0.05 * sample.LaunchIndex)),
            ItlP50Ms = 1,
            ItlP99Ms = 1,
            Conditions = Conditions.Unknown,
        };

    private string PathOf(string name) => Path.Combine(_folder, name);
}
