namespace Llama3Perf.Inference.Generation;

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
