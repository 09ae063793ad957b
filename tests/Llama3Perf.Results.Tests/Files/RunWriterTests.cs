using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Tests.Files;

public sealed class RunWriterTests
{
    [Fact]
    public void Other_files_of_the_folder_stay_and_nothing_is_left_beside_it()
    {
        using TestFolder folder = new();
        Directory.CreateDirectory(folder.File("run"));
        File.WriteAllText(folder.File("run", "report-full.json"), "theirs");
        File.WriteAllText(folder.File("run", RunFolder.Samples), "old");

        RunWriter.Write(TestRuns.Fixed(), folder.File("run"));

        Assert.Equal(
            ["report-full.json", "results.csv", "results.md", "samples.csv", "tokens.csv"],
            Directory.GetFiles(folder.File("run")).Select(Path.GetFileName).Order()
        );
        Assert.Equal([folder.File("run")], Directory.GetFileSystemEntries(folder.Path));
        Assert.Single(RunReader.Read(folder.File("run")));
    }

    [Fact]
    public void Parents_of_the_folder_are_made()
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("a", "b") + Path.DirectorySeparatorChar);

        Assert.Single(RunReader.Read(folder.File("a", "b")));
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_named_and_nothing_is_left()
    {
        using TestFolder folder = new();
        File.WriteAllText(folder.File("taken"), "a file");

        Assert.StartsWith(
            folder.File("taken"),
            Assert.Throws<RunFileException>(() => RunWriter.Write(TestRuns.Fixed(), folder.File("taken"))).Message
        );
        Assert.StartsWith(
            folder.File("taken", "run"),
            Assert.Throws<RunFileException>(() => RunWriter.Write(TestRuns.Fixed(), folder.File("taken", "run"))).Message
        );
        Assert.Equal([folder.File("taken")], Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public void A_run_that_contradicts_itself_is_not_written()
    {
        CaseOutcome outcome = TestRuns.Outcome(TestRuns.Case, 1, 1);
        using TestFolder folder = new();

        Assert.Throws<ArgumentException>(() => RunWriter.Write(Of(outcome, outcome), folder.File("run")));
        Assert.Throws<ArgumentException>(() =>
            RunWriter.Write(Of(outcome with { Case = TestRuns.Case with { Threads = 3 } }), folder.File("run"))
        );
        Assert.Throws<ArgumentException>(() =>
            RunWriter.Write(Of(outcome with { Samples = [outcome.Samples[0] with { PromptTokens = 7 }] }), folder.File("run"))
        );
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));

        static Run Of(params CaseOutcome[] outcomes) => new(TestRuns.Identity, TestRuns.Environment, outcomes);
    }
}
