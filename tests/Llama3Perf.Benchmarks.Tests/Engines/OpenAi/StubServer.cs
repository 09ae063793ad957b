using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Llama3Perf.Benchmarks.Tests.Engines.OpenAi;

/// <summary>Answers one request with server-sent events, a pause before each.</summary>
internal sealed class StubServer : IDisposable
{
    /// <summary>Milliseconds before each chunk.</summary>
    public const int Delay = 20;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly string[] _chunks;
    private readonly string _usage;

    public StubServer(string[] chunks, string usage)
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
        $$"""data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":{{choices}},"usage":{{usage}}}""" + "\n\n";

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
                int body = int.Parse(text.AsSpan(digits, text.IndexOf('\r', digits) - digits), CultureInfo.InvariantCulture);
                if (length >= end + 4 + body)
                {
                    return text;
                }
            }
        }
    }
}
