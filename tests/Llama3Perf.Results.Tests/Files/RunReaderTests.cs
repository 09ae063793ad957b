using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Tests.Files;

public sealed class RunReaderTests
{
    [Fact]
    public void A_run_folder_tells_of_failed_and_skipped_cases()
    {
        using TestFolder folder = Written("run");

        Run run = Assert.Single(RunReader.Read(folder.File("run")));

        Assert.Equal([CaseStatus.Ok, CaseStatus.Failed, CaseStatus.Skipped], run.Cases.Select(outcome => outcome.Status));
        Assert.Equal("The process ended with code 139, \"segmentation fault\"", run.Cases[1].Error);
        Assert.Equal(TestRuns.Environment, run.Environment);
        Assert.Equal(folder.File("run"), run.Source);
        Assert.All(run.Cases[0].Samples, sample => Assert.Empty(sample.TokenMs));
    }

    [Fact]
    public void Samples_stand_alone()
    {
        using TestFolder folder = Written("run");
        File.Move(folder.File("run", RunFolder.Samples), folder.File("mine.csv"));

        Run run = Assert.Single(RunReader.Read(folder.File("mine.csv")));

        Assert.Equal(TestRuns.Identity, run.Identity);
        Assert.Equal(
            TestRuns.Environment with
            {
                CpuName = null,
                RamBytes = null,
                MemoryGigabytesPerSecond = null,
                OrtPath = null,
                BdnVersion = null,
            },
            run.Environment
        );
        Assert.Equal(TestRuns.Case, Assert.Single(run.Cases).Case);
    }

    [Fact]
    public void Samples_of_a_run_share_its_records()
    {
        using TestFolder folder = Written("run");

        Run run = RunReader.Read(folder.File("run"))[0];

        Assert.All(run.Cases[0].Samples, sample => Assert.Same(run.Cases[0].Case, sample.Case));
        Assert.All(run.Cases[0].Samples, sample => Assert.Same(run.Cases[0].Samples[0].Environment, sample.Environment));
    }

    [Theory]
    [InlineData("*")]
    [InlineData("run-*")]
    [InlineData("*/samples.csv")]
    [InlineData("run-?")]
    public void A_pattern_stands_for_the_runs_that_it_matches(string pattern)
    {
        using TestFolder folder = Written("run-b", "run-a", ".partial");
        File.WriteAllText(folder.File("README.md"), "not a run");
        Directory.CreateDirectory(folder.File("empty"));

        IReadOnlyList<Run> runs = RunReader.Read(folder.File(pattern));

        Assert.Equal(
            ["run-a", "run-b"],
            runs.Select(run => Path.GetRelativePath(folder.Path, run.Source!).Split(Path.DirectorySeparatorChar)[0])
        );
    }

    [Theory]
    [InlineData("nowhere", "does not exist")]
    [InlineData("nowhere/*", "matches no run")]
    [InlineData("run/*.md", "matches no run")]
    [InlineData("", "is not a run folder")]
    [InlineData("run/results.csv", "name its folder")]
    [InlineData("run/results.md", "name its folder")]
    public void A_path_without_a_run_is_refused(string path, string reason)
    {
        using TestFolder folder = Written("run");

        Assert.Contains(reason, Assert.Throws<RunFileException>(() => RunReader.Read(folder.File(path))).Message);
    }

    [Fact]
    public void A_case_whose_samples_were_removed_is_not_ok()
    {
        using TestFolder folder = Written("run");
        string path = folder.File("run", RunFolder.Samples);
        File.WriteAllText(path, File.ReadAllLines(path)[0] + "\n");

        Run run = Assert.Single(RunReader.Read(folder.File("run")));

        Assert.Equal((CaseStatus.Failed, "samples.csv has no completed samples of it"), (run.Cases[0].Status, run.Cases[0].Error));
        Assert.Contains("0 completed samples", Assert.Single(run.Remarks));
    }

    [Fact]
    public void Samples_that_results_counted_and_that_are_not_there_are_remarked()
    {
        using TestFolder folder = Written("run");
        string path = folder.File("run", RunFolder.Samples);
        File.WriteAllText(path, string.Concat(File.ReadAllLines(path)[..4].Select(line => line + "\n")));

        Run run = Assert.Single(RunReader.Read(folder.File("run")));

        Assert.Equal(3, run.Cases[0].Samples.Count);
        Assert.EndsWith(
            "has 3 completed samples of 'llama-125m-int4-b32/ort-cpu/pp512/l516/t2', results.csv counted 6",
            Assert.Single(run.Remarks)
        );
    }

    [Fact]
    public void Files_of_two_runs_in_one_folder_are_refused()
    {
        using TestFolder folder = Written("run");
        string path = folder.File("run", RunFolder.Samples);
        File.WriteAllText(path, File.ReadAllText(path).Replace(TestRuns.Identity.RunId, "other"));

        Assert.Contains("a folder holds one run", Assert.Throws<RunFileException>(() => RunReader.Read(folder.File("run"))).Message);
    }

    [Fact]
    public void Samples_know_the_driver_better_than_results()
    {
        using TestFolder folder = Written("run");
        string path = folder.File("run", RunFolder.Samples);
        File.WriteAllText(path, File.ReadAllText(path).Replace(",1.31.1,", ",1.32.0,"));

        RunEnvironment environment = RunReader.Read(folder.File("run"))[0].Environment;

        Assert.Equal(TestRuns.Environment with { OrtVersion = "1.32.0" }, environment);
    }

    [Fact]
    public void Samples_without_results_are_failed_when_an_iteration_broke_off()
    {
        using TestFolder folder = new();
        CaseOutcome outcome = TestRuns.Outcome(TestRuns.Case, 1, 2);
        outcome = outcome with { Samples = [outcome.Samples[0], outcome.Samples[1] with { Completed = false }] };
        RunWriter.Write(new Run(TestRuns.Identity, TestRuns.Environment, [outcome]), folder.File("run"));

        File.Delete(folder.File("run", RunFolder.Results));
        Run run = RunReader.Read(folder.File("run", RunFolder.Samples))[0];

        Assert.Equal((CaseStatus.Failed, "iteration 2 of launch 1 did not complete"), (run.Cases[0].Status, run.Cases[0].Error));
        Assert.StartsWith("there is no results.csv beside", Assert.Single(run.Losses));
    }

    [Fact]
    public void A_samples_file_of_a_run_folder_is_read_with_the_results_beside_it()
    {
        using TestFolder folder = Written("run");

        Run run = Assert.Single(RunReader.Read(folder.File("run", RunFolder.Samples)));

        Assert.Equal(
            TestRuns.Fixed().Cases.Select(outcome => (outcome.CaseId, outcome.Status)),
            run.Cases.Select(outcome => (outcome.CaseId, outcome.Status))
        );
        Assert.Empty(run.Losses);
    }

    [Fact]
    public void An_interrupted_case_keeps_its_figures_and_is_only_a_part()
    {
        using TestFolder folder = new();
        CaseOutcome outcome = TestRuns.Outcome(TestRuns.Case, 1, 2) with { Status = CaseStatus.Interrupted, Error = "1 of 3 launches" };
        RunWriter.Write(new Run(TestRuns.Identity, TestRuns.Environment, [outcome]), folder.File("run"));

        Run run = Assert.Single(RunReader.Read(folder.File("run")));

        Assert.Equal((CaseStatus.Interrupted, 2), (run.Cases[0].Status, run.Cases[0].Samples.Count));
        Assert.EndsWith("was interrupted: 1 of 3 launches", Assert.Single(run.Losses));
        Assert.Equal(run.Losses, run.Remarks);
        Assert.Contains("interrupted", File.ReadAllText(folder.File("run", RunFolder.Markdown)));
    }

    [Fact]
    public void The_same_run_twice_is_named()
    {
        using TestFolder folder = Written("a", "b");
        IReadOnlyList<Run> runs = RunReader.Read(folder.File("*"));

        string message = Assert.Throws<RunFileException>(() => RunReader.RequireDistinct(runs)).Message;

        Assert.Equal($"{folder.File("b")} is run {TestRuns.Identity.RunId}, and so is {folder.File("a")}; name each run once", message);
        RunReader.RequireDistinct([runs[0]]);
    }

    private static TestFolder Written(params string[] names)
    {
        TestFolder folder = new();
        foreach (string name in names)
        {
            RunWriter.Write(TestRuns.Fixed(), folder.File(name));
        }

        return folder;
    }
}
