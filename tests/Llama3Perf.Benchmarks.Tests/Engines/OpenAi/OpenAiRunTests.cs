using Llama3Perf.Benchmarks.Terminal;
using Llama3Perf.Benchmarks.Tests.Commands;
using Llama3Perf.Results.Files;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Engines.OpenAi;

/// <summary>A server through the whole verb.</summary>
[Collection(nameof(CliSession))]
public sealed class OpenAiRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("l3p-server-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("null", null, 4)]
    [InlineData("""{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}""", 11, 7)]
    public async Task A_server_that_does_not_count_tokens_is_marked_and_none_has_a_prefill(string usage, int? prompt, int newTokens)
    {
        using StubServer server = new(["a", "b", "c", "d"], usage);
        Task<string> asked = server.Answer();

        (int exitCode, string output, string error) = CliSession.Run(
            "run",
            "--engine",
            "openai",
            "--endpoint",
            server.Address,
            "--api-model",
            "some-model",
            "--prompt",
            "OpenVINO is",
            "--launches",
            "1",
            "--iterations",
            "1",
            "--warmup",
            "0",
            "--output",
            Path.Combine(_folder, "run")
        );
        string request = await asked;

        Assert.True(exitCode == ExitCode.Success, output + error);
        Assert.Contains("OpenVINO is", request, StringComparison.Ordinal);
        CaseOutcome outcome = RunReader.Read(Path.Combine(_folder, "run")).Single().Cases.Single();
        Sample sample = outcome.Samples.Single();
        Assert.Equal((prompt, prompt, newTokens), (outcome.Case.PromptTokens, sample.PromptTokens, sample.NewTokens));
        Assert.Equal((null, null, null), (sample.PrefillMs, sample.PrefillTps, sample.OutputSha256));
        string markdown = await File.ReadAllTextAsync(Path.Combine(_folder, "run", "results.md"), TestContext.Current.CancellationToken);
        Assert.Equal(prompt is null, markdown.Contains("chunks over HTTP, not tokens", StringComparison.Ordinal));
    }
}
