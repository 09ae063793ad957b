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

    /// <summary>Generates as <see cref="Generate"/> does and shows the logits after the prompt too, where there are any to show. To verify
    /// with, not to time.</summary>
    /// <param name="prompt">Token ids, BOS included.</param>
    /// <param name="maxLength">Prompt and new tokens together, above the prompt's length.</param>
    /// <exception cref="EngineException">The engine failed; one line that names the cause.</exception>
    GenerationResult GenerateShown(ReadOnlySpan<int> prompt, int maxLength) => Generate(prompt, maxLength);
}
