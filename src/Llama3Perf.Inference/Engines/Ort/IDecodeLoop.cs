namespace Llama3Perf.Inference.Engines.Ort;

/// <summary>How tokens travel from one step to the next: over the host, or on the device alone. Holds the sequence's KV cache.</summary>
internal interface IDecodeLoop : IDisposable
{
    /// <summary>Longest sequence.</summary>
    int MaxLength { get; }

    /// <summary>Forgets the sequence; buffers stay.</summary>
    void Restart();

    /// <summary>Computes the prompt, shorter than the longest sequence.</summary>
    void Prefill(ReadOnlySpan<int> prompt);

    /// <summary>Computes the token that was chosen last; the sequence has room for it.</summary>
    /// <param name="position">Its place in the sequence.</param>
    void Decode(int position);

    /// <summary>The most likely token after what was computed last, on the host.</summary>
    /// <param name="isLast">True for the last token of the sequence: what was computed is judged then, if it was not before.</param>
    /// <exception cref="EngineException">The logits are no finite numbers.</exception>
    int Choose(bool isLast);

    /// <summary>A copy of the logits at the last position that was computed, [vocabulary].</summary>
    float[] LastLogits();
}
