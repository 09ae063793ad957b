using System.Text.Json;
using Llama3Perf.Results.Export;
using Llama3Perf.Results.Rows;
using Llama3Perf.Results.Tests.Files;

namespace Llama3Perf.Results.Tests.Export;

public sealed class ExportTests
{
    [Theory]
    [InlineData("github-action-benchmark", "bigger-is-better.json")]
    [InlineData("github-action-benchmark", "smaller-is-better.json")]
    [InlineData("bencher", "bencher.json")]
    public void Files_are_written_as_published(string format, string file) =>
        Golden.Verify(file, Files(TestRuns.Fixed(), format).Single(f => f.Name == file).Text);

    [Theory]
    [InlineData("github-action-benchmark")]
    [InlineData("bencher")]
    public void Names_of_cases_never_collide(string format)
    {
        CaseKey[] cases =
        [
            TestRuns.Case,
            TestRuns.Case with
            {
                Threads = 3,
            },
            TestRuns.Case with
            {
                BlockSize = 128,
            },
            TestRuns.Case with
            {
                Engine = "genai",
            },
            TestRuns.Case with
            {
                Provider = "dml",
            },
            TestRuns.Case with
            {
                MaxLength = 520,
            },
            TestRuns.Case with
            {
                PromptId = "a b",
                PromptSha256 = new string('1', 64),
            },
            TestRuns.Case with
            {
                PromptId = "a b",
                PromptSha256 = new string('2', 64),
            },
            TestRuns.Case with
            {
                ChatTemplate = "phi3",
            },
            TestRuns.Case with
            {
                EngineOptions = "graph=all",
            },
        ];
        Run run = new(TestRuns.Identity, TestRuns.Environment, [.. cases.Select(key => TestRuns.Outcome(key, 1, 1))]);

        Assert.Equal(
            cases.Length,
            Files(run, format).SelectMany(file => Names(file.Text)).Count(name => name.EndsWith("decode_tps", StringComparison.Ordinal))
        );

        static IEnumerable<string> Names(string text)
        {
            using JsonDocument json = JsonDocument.Parse(text);
            string[] names =
                json.RootElement.ValueKind == JsonValueKind.Array
                    ? [.. json.RootElement.EnumerateArray().Select(entry => entry.GetProperty("name").GetString()!)]
                    : [.. json.RootElement.EnumerateObject().SelectMany(b => b.Value.EnumerateObject().Select(m => $"{b.Name}/{m.Name}"))];
            Assert.Equal(names.Length, names.Distinct().Count());
            return names;
        }
    }

    [Theory]
    [InlineData("github-action-benchmark")]
    [InlineData("bencher")]
    public void A_run_without_results_is_not_exported(string format)
    {
        Run run = TestRuns.Fixed();
        run = run with { Cases = [.. run.Cases.Where(outcome => outcome.Status != CaseStatus.Ok)] };

        Assert.Contains("nothing to export", Assert.Throws<RunFileException>(() => Files(run, format)).Message);
    }

    [Fact]
    public void Files_are_written_to_a_folder()
    {
        using TestFolder folder = new();

        IReadOnlyList<string> paths = RunExport.Write(TestRuns.Fixed(), RunExport.Formats[0], folder.File("out"));

        Assert.Equal(
            ["bigger-is-better.json", "smaller-is-better.json"],
            Directory.GetFiles(folder.File("out")).Select(Path.GetFileName).Order()
        );
        Assert.All(paths, path => Assert.True(File.Exists(path)));
    }

    private static IReadOnlyList<ExportedFile> Files(Run run, string format) => RunExport.Formats.Single(f => f.Name == format).Files(run);
}
