using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Results.Tests.Files;

public sealed class GoldenTests
{
    [Theory]
    [InlineData(RunFolder.Samples)]
    [InlineData(RunFolder.Results)]
    [InlineData(RunFolder.Tokens)]
    [InlineData(RunFolder.Markdown)]
    public void Files_of_a_run_are_written_as_published(string name)
    {
        using TestFolder folder = new();
        RunWriter.Write(TestRuns.Fixed(), folder.File("run"));

        Golden.Verify(name, File.ReadAllText(folder.File("run", name)));
    }

    [Fact]
    public void The_published_run_is_read()
    {
        string golden = Path.Combine(Fixtures.Root, "tests", "Llama3Perf.Results.Tests", "Golden");

        Run run = Assert.Single(RunReader.Read(golden, withTokens: true));

        Assert.Equal(TestRuns.Identity, run.Identity);
        Assert.Equal(TestRuns.Environment, run.Environment);
        Assert.Equal(6, run.Cases[0].Samples.Count);
        Assert.Empty(run.Remarks);
    }
}
