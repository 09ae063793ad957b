namespace Llama3Perf.Inference;

/// <summary>
/// A loaded model that generates greedily, batch 1. An engine does not read the clock:
/// <see cref="Generation.TimedGeneration"/> does, in the same way for all of them.
/// </summary>
public interface IEngine : IDisposable
{
    /// <summary>What was loaded, from where, and where it runs.</summary>
    EngineDescription Description { get; }

    /// <summary>Readies an empty KV cache for a sequence of up to <paramref name="maxLength"/> tokens. Not timed as inference.</summary>
    /// <param name="maxLength">Prompt and new tokens together.</param>
    void Reset(int maxLength);

    /// <summary>Processes the prompt: the only call between <see cref="Reset"/> and the first <see cref="NextToken"/>.</summary>
    /// <param name="prompt">Token ids, BOS included; shorter than the max length.</param>
    void Prefill(ReadOnlySpan<int> prompt);

    /// <summary>
    /// Returns the next token id, readable on the host. The first call after <see cref="Prefill"/> picks from the prompt's logits;
    /// each later call first runs one decode step over the token returned before. EOS tokens are left out of the choice unless
    /// <see cref="EngineOptions.AllowEos"/> is set; then nothing may be asked for after one.
    /// </summary>
    int NextToken();

    /// <summary>
    /// A copy of the logits at the last position that was computed, [vocabulary]: after <see cref="Prefill"/> those of the prompt, after
    /// <see cref="NextToken"/> those that its token was picked from, where EOS tokens that were left out may stand as -∞. Not for timing.
    /// </summary>
    /// <exception cref="InvalidOperationException">Nothing was computed since <see cref="Reset"/>.</exception>
    float[] LastLogits();

    /// <summary>What became of the tokens that were proposed in this sequence; null without speculative decoding.</summary>
    DraftCounts? Drafts => null;
}

/// <summary>What an engine runs on. Unknown is null, never a guess.</summary>
/// <param name="Engine">Name in the engine table: <c>ort</c>, <c>genai</c>, <c>external:transformers</c>.</param>
/// <param name="Provider">Execution provider that the compute nodes are placed on.</param>
public sealed record EngineDescription(string Engine, ExecutionProvider Provider)
{
    /// <summary>Name of the adapter, as the platform gives it; null on the CPU provider.</summary>
    public string? Device { get; init; }

    /// <summary>Intra-op threads that the session was given.</summary>
    public int? Threads { get; init; }

    /// <summary>Why figures and answers may not be reported as the provider's: compute nodes that fell back to the CPU; null when placement
    /// is proven or is the CPU. What is measured or verified is not loaded then (<see cref="EngineKind.LoadPlaced"/>).</summary>
    public string? PlacementWarning { get; init; }

    /// <summary>What an external engine says it loaded the weights as; null for engines in this process, whose model says it.</summary>
    public string? Precision { get; init; }

    /// <summary>Versions of an external engine's parts (<c>torch</c> to <c>2.11.0</c>); null for engines in this process.</summary>
    public IReadOnlyDictionary<string, string>? Versions { get; init; }

    /// <summary>What a reader of the numbers must know, one line each (<c>dynamic KV cache</c>); null when there is nothing.</summary>
    public IReadOnlyList<string>? Notes { get; init; }
}
