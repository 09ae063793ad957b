using System.Text.Json;

namespace Llama3Perf.Benchmarks.Tests.Workflows;

/// <summary>
/// The workflow templates. Their scripts are read from the files as they are; that the whole is a workflow is for actionlint to say.
/// Playing them builds two commits and measures both: it takes minutes, a bash, a git and a machine that is left alone meanwhile.
/// </summary>
public sealed class WorkflowTests
{
    private const string Switch = "LLAMA3PERF_PLAY_WORKFLOWS";

    [Theory]
    [InlineData("throughput-gate.yml", "Build both", "dotnet build head/benchmarks -c Release")]
    [InlineData("throughput-gate.yml", "Measure both in turn", "--baseline-build base/artifacts/bin")]
    [InlineData("throughput-stored.yml", "Measure the baseline and the machine's noise", "noise")]
    [InlineData("throughput-stored.yml", "Measure and judge", "gate --baseline")]
    public void Steps_have_scripts_without_expressions_of_GitHub(string workflow, string step, string expected)
    {
        string script = ScriptOf(workflow, step);

        Assert.Contains(expected, script, StringComparison.Ordinal);
        Assert.DoesNotContain("${{", script, StringComparison.Ordinal);
    }

    [Fact]
    public void The_gate_of_two_commits_on_one_runner_finds_the_slower_one()
    {
        using ScratchRepository repository = Repository();
        Dictionary<string, string> variables = Variables(repository, ("BUDGET", "8m"));

        Play(repository, "throughput-gate.yml", "Build both", ".", variables);
        (int exitCode, string output) = repository.Run(ScriptOf("throughput-gate.yml", "Measure both in turn"), ".", variables);

        TestContext.Current.TestOutputHelper!.WriteLine(output);
        using JsonDocument verdict = JsonDocument.Parse(File.ReadAllText(Path.Combine(variables["RUNNER_TEMP"], "ab", "verdict.json")));
        JsonElement decode = verdict
            .RootElement.GetProperty("checks")
            .EnumerateArray()
            .Single(check =>
                check.GetProperty("metric").GetString() == "decode_tps"
                && check.GetProperty("case_id").GetString()!.Contains("/ort-", StringComparison.Ordinal) // The loop that was slowed.
            );
        Assert.SkipWhen(
            exitCode == 3 && decode.GetProperty("unsteady_blocks").GetInt32() > 0,
            $"others used the machine: {decode.GetProperty("reason").GetString()}"
        );
        Assert.Equal((1, "regression"), (exitCode, decode.GetProperty("outcome").GetString()));
        Assert.Contains("A/B: FAIL, regression", File.ReadAllText(variables["GITHUB_STEP_SUMMARY"]), StringComparison.Ordinal);
    }

    [Fact]
    public void The_gate_against_a_stored_baseline_finds_the_slower_one()
    {
        using ScratchRepository repository = Repository();
        Dictionary<string, string> variables = Variables(repository, ("WAIT", "60s"));

        Play(repository, "throughput-stored.yml", "Build", "base", variables);
        Play(repository, "throughput-stored.yml", "Measure the baseline and the machine's noise", "base", variables);
        Play(repository, "throughput-stored.yml", "Build", "head", variables);
        (int exitCode, string output) = repository.Run(ScriptOf("throughput-stored.yml", "Measure and judge"), "head", variables);

        TestContext.Current.TestOutputHelper!.WriteLine(output);
        Assert.SkipWhen(exitCode == 3 && output.Contains("unsteady", StringComparison.Ordinal), "others used the machine");
        Assert.Equal(1, exitCode);
        Assert.Contains("Gate: FAIL, regression", File.ReadAllText(variables["GITHUB_STEP_SUMMARY"]), StringComparison.Ordinal);
    }

    private static ScratchRepository Repository()
    {
        Assert.SkipUnless(
            Environment.GetEnvironmentVariable(Switch) == "1",
            $"{Switch}=1 plays the workflows in a scratch repository, which takes minutes"
        );
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs bash");
        return new ScratchRepository();
    }

    private static Dictionary<string, string> Variables(ScratchRepository repository, (string Name, string Value) more)
    {
        string temp = Directory.CreateDirectory(Path.Combine(repository.Folder, "temp")).FullName;
        return new Dictionary<string, string>
        {
            ["MODEL"] = "llama-tiny",
            ["RUNNER_TEMP"] = temp,
            ["GITHUB_STEP_SUMMARY"] = Path.Combine(temp, "summary.md"),
            [more.Name] = more.Value,
        };
    }

    private static void Play(
        ScratchRepository repository,
        string workflow,
        string step,
        string directory,
        Dictionary<string, string> variables
    )
    {
        (int exitCode, string output) = repository.Run(ScriptOf(workflow, step), directory, variables);
        Assert.True(exitCode == 0, $"{step}: exit code {exitCode}\n{output}");
    }

    /// <summary>The script of a step: <c>run: text</c>, or the lines below <c>run: |</c>.</summary>
    private static string ScriptOf(string workflow, string step)
    {
        string[] lines = File.ReadAllLines(Path.Combine(ScratchRepository.Root, ".github", "workflows", workflow));
        int name = Array.FindIndex(lines, line => line.Trim() == $"- name: {step}");
        Assert.True(name >= 0, $"{workflow} has no step '{step}'");
        string[] own = [.. lines.Skip(name + 1).TakeWhile(line => !line.TrimStart().StartsWith("- ", StringComparison.Ordinal))];
        int run = Array.FindIndex(own, line => line.TrimStart().StartsWith("run:", StringComparison.Ordinal));
        Assert.True(run >= 0, $"step '{step}' of {workflow} runs nothing");
        string text = own[run].Split("run:", 2)[1].Trim();
        int indentation = own[run].Length - own[run].TrimStart().Length;
        return text != "|"
            ? text
            : string.Join(
                '\n',
                own.Skip(run + 1).TakeWhile(line => line.Length == 0 || line[..^line.TrimStart().Length].Length > indentation)
            );
    }
}
