namespace Llama3Perf.Inference;

/// <summary>A loaded model that generates and knows when each token came.</summary>
public interface IGenerator : IDisposable
{
    /// <summary>What was loaded, from where, and where it runs.</summary>
    EngineDescription Description { get; }

    /// <summary>Generates greedily until the sequence holds <paramref name="maxLength"/> tokens, with a fresh KV cache and EOS
    /// ignored.</summary>
    /// <param name="prompt">Token ids, BOS included.</param>
    /// <param name="maxLength">Prompt and new tokens together, above the prompt's length.</param>
    /// <exception cref="ArgumentOutOfRangeException">The prompt is empty or leaves no room for a new token.</exception>
    /// <exception cref="EngineException">The engine failed; one line that names the cause.</exception>
    GenerationResult Generate(ReadOnlySpan<int> prompt, int maxLength);
}
