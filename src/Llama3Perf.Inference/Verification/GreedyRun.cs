namespace Llama3Perf.Inference.Verification;

/// <summary>
/// An engine's own greedy tokens along a given sequence. Where the sequence takes another token than the engine chose, or goes on after
/// an EOS token, after which an engine may not be asked, the prompt is computed again with the sequence's tokens appended.
/// </summary>
internal sealed class GreedyRun(IEngine engine, int[] prompt, int newTokens, IReadOnlyList<int> eosTokens)
{
    private int _chosen;

    /// <summary>Computes the prompt and the tokens after it.</summary>
    public void Start(IEnumerable<int> tokens)
    {
        engine.Reset(prompt.Length + newTokens);
        engine.Prefill([.. prompt, .. tokens]);
    }

    /// <summary>The engine's next token.</summary>
    public int Next() => _chosen = engine.NextToken();

    /// <summary>Goes on behind the tokens so far, of which the engine was asked for the last one.</summary>
    public void Continue(IReadOnlyList<int> tokens)
    {
        if (tokens.Count < newTokens && (_chosen != tokens[^1] || eosTokens.Contains(_chosen)))
        {
            Start(tokens);
        }
    }
}
