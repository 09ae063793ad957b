using System.Diagnostics;

namespace Llama3Perf.Inference.Generation;

/// <summary>The one place that times. Allocates before t0 and after the last token, never between.</summary>
public static class TimedGeneration
{
    /// <summary>Generates until the sequence holds <paramref name="maxLength"/> tokens, EOS ignored.</summary>
    /// <param name="engine">A loaded engine; its KV cache is reset.</param>
    /// <param name="prompt">Token ids, BOS included.</param>
    /// <param name="maxLength">Prompt and new tokens together, above the prompt's length.</param>
    /// <param name="onToken">Called with each new token id after its time was taken; returning false ends the generation.
    /// Its own time counts towards the next token, so measurements pass none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The prompt is empty or leaves no room for a new token.</exception>
    public static GenerationResult Run(IEngine engine, ReadOnlySpan<int> prompt, int maxLength, Func<int, bool>? onToken = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(maxLength, prompt.Length);
        int[] tokens = new int[maxLength - prompt.Length];
        long[] stamps = new long[tokens.Length];

        long resetStart = Stopwatch.GetTimestamp();
        engine.Reset(maxLength);
        double resetMs = Stopwatch.GetElapsedTime(resetStart).TotalMilliseconds;

        DateTimeOffset startUtc = DateTimeOffset.UtcNow;
        long start = Stopwatch.GetTimestamp();
        engine.Prefill(prompt);
        long prefillEnd = Stopwatch.GetTimestamp();
        int count = Decode(engine, tokens, stamps, onToken);

        return new GenerationResult
        {
            StartUtc = startUtc,
            PromptTokens = prompt.Length,
            NewTokens = tokens[..count],
            TokenMs = Array.ConvertAll(stamps[..count], stamp => Stopwatch.GetElapsedTime(start, stamp).TotalMilliseconds),
            PrefillMs = Stopwatch.GetElapsedTime(start, prefillEnd).TotalMilliseconds,
            ResetMs = resetMs,
            Drafts = engine.Drafts,
        };
    }

    private static int Decode(IEngine engine, int[] tokens, long[] stamps, Func<int, bool>? onToken)
    {
        for (int i = 0; i < tokens.Length; i++)
        {
            tokens[i] = engine.NextToken();
            stamps[i] = Stopwatch.GetTimestamp();
            if (onToken is not null && !onToken(tokens[i]))
            {
                return i + 1;
            }
        }

        return tokens.Length;
    }
}

/// <summary>An engine of this process, timed by our clock. Owns the engine.</summary>
public sealed class EngineGenerator(IEngine engine) : IGenerator
{
    /// <inheritdoc/>
    public EngineDescription Description => engine.Description;

    /// <inheritdoc/>
    public GenerationResult Generate(ReadOnlySpan<int> prompt, int maxLength) => TimedGeneration.Run(engine, prompt, maxLength);

    /// <inheritdoc/>
    public void Dispose() => engine.Dispose();
}
