using Llama3Perf.Benchmarks.Engines.OpenAi;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Engines.OpenAi;

/// <summary>The client against a server of this process that sends what it is told, when it is told.</summary>
public sealed class OpenAiEndpointTests
{
    [Fact]
    public async Task Chunks_are_counted_and_come_no_earlier_than_they_are_sent()
    {
        using StubServer server = new(["a", "b", "c"], usage: """{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}""");
        Task<string> asked = server.Answer();

        StreamedAnswer answer = Ask(server);

        Assert.Equal((3, 11, 7), (answer.ChunkMs.Length, answer.PromptTokens, answer.NewTokens));
        Assert.Equal(answer.ChunkMs.Order(), answer.ChunkMs);
        for (int i = 0; i < answer.ChunkMs.Length; i++)
        {
            // Sleeping is exact to a millisecond of the system's clock.
            Assert.True(answer.ChunkMs[i] >= ((i + 1) * StubServer.Delay) - 5, $"chunk {i} after {answer.ChunkMs[i]} ms");
        }

        string request = await asked;
        Assert.StartsWith("POST /v1/chat/completions ", request, StringComparison.Ordinal);
        Assert.Contains("OpenVINO is", request, StringComparison.Ordinal);
        Assert.Contains("64", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_servers_count_chunks_stand_for_tokens()
    {
        using StubServer server = new(["a", "b", "c", "d"], usage: "null");
        Task<string> asked = server.Answer();

        StreamedAnswer answer = Ask(server);
        Sample sample = OpenAiFamily.ToSample(answer, PlannedCase.None, new RunIdentity("r", DateTimeOffset.UnixEpoch, null), new());
        await asked;

        Assert.Null(answer.NewTokens);
        Assert.Equal((4, answer.ChunkMs[0], answer.ChunkMs[^1]), (sample.NewTokens, sample.TtftMs, sample.EndToEndMs));
        Assert.Null(sample.OutputSha256);
        Assert.Null(sample.PrefillMs);
    }

    [Fact]
    public void Rates_are_of_the_servers_tokens()
    {
        Sample sample = OpenAiFamily.ToSample(
            new StreamedAnswer(DateTimeOffset.UnixEpoch, [100, 200, 300], 5, 21),
            PlannedCase.None,
            new RunIdentity("r", DateTimeOffset.UnixEpoch, null),
            new RunEnvironment()
        );

        Assert.Equal((100.0, 100.0, 70.0), (sample.DecodeTps!.Value, sample.ItlP50Ms!.Value, sample.EndToEndTps!.Value));
        Assert.Equal((5, 21), (sample.PromptTokens, sample.NewTokens));
    }

    [Fact]
    public void A_server_that_is_not_there_is_one_line()
    {
        string address;
        using (StubServer server = new([], "null"))
        {
            address = server.Address;
        }

        string message = Assert.Throws<EngineException>(() => Ask(address)).Message;
        Assert.StartsWith(address, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public async Task An_answer_without_text_is_refused()
    {
        using StubServer server = new([], usage: "null");
        Task<string> asked = server.Answer();

        Assert.Contains("without a text", Assert.Throws<EngineException>(() => Ask(server)).Message, StringComparison.Ordinal);
        await asked;
    }

    private static StreamedAnswer Ask(StubServer server) => Ask(server.Address);

    private static StreamedAnswer Ask(string address) =>
        new OpenAiEndpoint(new Uri(address), "m", "none", TimeSpan.FromSeconds(60)).Ask(
            "OpenVINO is",
            64,
            TestContext.Current.CancellationToken
        );
}
