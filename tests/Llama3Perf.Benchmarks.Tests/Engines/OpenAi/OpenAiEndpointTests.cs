using System.Net;
using System.Net.Sockets;
using System.Text;
using Llama3Perf.Benchmarks.Engines.OpenAi;
using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Inference;
using Llama3Perf.Results.Rows;

namespace Llama3Perf.Benchmarks.Tests.Engines.OpenAi;

/// <summary>The client against a server of this process that sends what it is told, when it is told.</summary>
public sealed class OpenAiEndpointTests
{
    private const int Delay = 20;

    [Fact]
    public async Task Chunks_are_counted_and_come_no_earlier_than_they_are_sent()
    {
        using Server server = new(["a", "b", "c"], usage: """{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}""");
        Task<string> asked = server.Answer();

        StreamedAnswer answer = Ask(server);

        Assert.Equal((3, 11, 7), (answer.ChunkMs.Length, answer.PromptTokens, answer.NewTokens));
        Assert.Equal(answer.ChunkMs.Order(), answer.ChunkMs);
        for (int i = 0; i < answer.ChunkMs.Length; i++)
        {
            // Sleeping is exact to a millisecond of the system's clock.
            Assert.True(answer.ChunkMs[i] >= ((i + 1) * Delay) - 5, $"chunk {i} after {answer.ChunkMs[i]} ms");
        }

        string request = await asked;
        Assert.StartsWith("POST /v1/chat/completions ", request, StringComparison.Ordinal);
        Assert.Contains("OpenVINO is", request, StringComparison.Ordinal);
        Assert.Contains("64", request, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_servers_count_chunks_stand_for_tokens()
    {
        using Server server = new(["a", "b", "c", "d"], usage: "null");
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
        using (Server server = new([], "null"))
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
        using Server server = new([], usage: "null");
        Task<string> asked = server.Answer();

        Assert.Contains("without a text", Assert.Throws<EngineException>(() => Ask(server)).Message, StringComparison.Ordinal);
        await asked;
    }

    private static StreamedAnswer Ask(Server server) => Ask(server.Address);

    private static StreamedAnswer Ask(string address) =>
        new OpenAiEndpoint(new Uri(address), "m", "none", TimeSpan.FromSeconds(60)).Ask(
            "OpenVINO is",
            64,
            TestContext.Current.CancellationToken
        );

    /// <summary>Answers one request with server-sent events, a pause before each.</summary>
    private sealed class Server : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly string[] _chunks;
        private readonly string _usage;

        public Server(string[] chunks, string usage)
        {
            (_chunks, _usage) = (chunks, usage);
            _listener.Start();
        }

        public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/v1";

        public void Dispose() => _listener.Dispose();

        /// <summary>Serves in the background; the result is the request.</summary>
        public Task<string> Answer() => Task.Run(Serve);

        private string Serve()
        {
            using TcpClient client = _listener.AcceptTcpClient();
            using NetworkStream stream = client.GetStream();
            string request = ReadRequest(stream);
            Send(stream, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
            foreach (string chunk in _chunks)
            {
                Thread.Sleep(Delay);
                Send(stream, Event($$"""[{"index":0,"delta":{"content":"{{chunk}}"},"finish_reason":null}]""", "null"));
            }

            Send(stream, Event("""[{"index":0,"delta":{},"finish_reason":"stop"}]""", "null"));
            Send(stream, Event("[]", _usage));
            Send(stream, "data: [DONE]\n\n");
            return request;
        }

        private static string Event(string choices, string usage) =>
            $$"""data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":{{choices}},"usage":{{usage}}}"""
            + "\n\n";

        private static void Send(NetworkStream stream, string text)
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
            stream.Flush();
        }

        // Until the body is as long as the header says.
        private static string ReadRequest(NetworkStream stream)
        {
            byte[] buffer = new byte[1 << 16];
            int length = 0;
            while (true)
            {
                length += stream.Read(buffer, length, buffer.Length - length);
                string text = Encoding.UTF8.GetString(buffer, 0, length);
                int end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                int field = text.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
                if (end >= 0 && field >= 0)
                {
                    int digits = field + "Content-Length: ".Length;
                    int body = int.Parse(
                        text.AsSpan(digits, text.IndexOf('\r', digits) - digits),
                        System.Globalization.CultureInfo.InvariantCulture
                    );
                    if (length >= end + 4 + body)
                    {
                        return text;
                    }
                }
            }
        }
    }
}
