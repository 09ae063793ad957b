using System.ClientModel;
using System.ClientModel.Primitives;
using System.Diagnostics;
using System.Text.Json;
using Llama3Perf.Inference;
using Llama3Perf.Models;
using OpenAI;
using OpenAI.Chat;

namespace Llama3Perf.Benchmarks.Engines.OpenAi;

/// <summary>What a server sent, and when.</summary>
/// <param name="StartUtc">UTC just before the request.</param>
/// <param name="ChunkMs">When each chunk with text was read, in milliseconds since the request; ascending, at least one.</param>
/// <param name="PromptTokens">As the server counts them; null where it does not tell.</param>
/// <param name="NewTokens">As the server counts them; null where it does not tell.</param>
internal sealed record StreamedAnswer(DateTimeOffset StartUtc, double[] ChunkMs, int? PromptTokens, int? NewTokens);

/// <summary>A model behind an OpenAI-compatible endpoint: chat completions, streamed, over the official client. Nothing is tried
/// twice.</summary>
internal sealed class OpenAiEndpoint
{
    private readonly Uri _address;
    private readonly ChatClient _client;

    /// <param name="address">The address that the user named, up to <c>/v1</c>.</param>
    /// <param name="model">The server's name of the model.</param>
    /// <param name="key">What is sent as the key; servers on one's own machine want none, the client does.</param>
    /// <param name="timeout">Longest silence of the server.</param>
    public OpenAiEndpoint(Uri address, string model, string key, TimeSpan timeout)
    {
        _address = address;
        OpenAIClientOptions options = new()
        {
            Endpoint = address,
            NetworkTimeout = timeout,
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
        };
        _client = new ChatClient(model, new ApiKeyCredential(key), options);
    }

    /// <summary>Asks for up to so many new tokens, greedily.</summary>
    /// <exception cref="EngineException">The server is not there, refuses, breaks off or sends no text; one line.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public StreamedAnswer Ask(string prompt, int newTokens, CancellationToken cancellationToken)
    {
        ChatCompletionOptions options = new() { MaxOutputTokenCount = newTokens, Temperature = 0 };
        List<double> chunks = [];
        ChatTokenUsage? usage = null;
        DateTimeOffset startUtc = DateTimeOffset.UtcNow;
        long start = Stopwatch.GetTimestamp();
        try
        {
            foreach (
                StreamingChatCompletionUpdate update in _client.CompleteChatStreaming(
                    [new UserChatMessage(prompt)],
                    options,
                    cancellationToken
                )
            )
            {
                if (update.ContentUpdate.Any(part => part.Text is { Length: > 0 }))
                {
                    chunks.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }

                usage = update.Usage ?? usage;
            }
        }
        catch (Exception e)
            when (e
                    is ClientResultException
                        or HttpRequestException
                        or IOException
                        or JsonException
                        or AggregateException
                        or InvalidOperationException
                        or FormatException
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            throw new EngineException($"{_address} failed: {e.GetBaseException().Message.OneLine()}", e);
        }

        return chunks.Count > 0
            ? new StreamedAnswer(startUtc, [.. chunks], usage?.InputTokenCount, usage?.OutputTokenCount)
            : throw new EngineException($"{_address} answered without a text");
    }
}
