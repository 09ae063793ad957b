using Llama3Perf.Inference.Generation;

namespace Llama3Perf.Inference.Tests.Generation;

public sealed class EngineGeneratorTests
{
    [Fact]
    public void An_engine_of_this_process_is_timed_here_and_disposed_with_its_generator()
    {
        ConstantEngine engine = new();
        using (EngineGenerator generator = new(engine))
        {
            GenerationResult result = generator.Generate([1, 2], 6);

            Assert.Same(engine.Description, generator.Description);
            Assert.Equal([7, 7, 7, 7], result.NewTokens);
            Assert.Equal(2, result.PromptTokens);
            Assert.Null(result.ClockDisagreementMs);
            Assert.Null(result.PeakRssBytes);
            Assert.False(engine.IsDisposed);
        }

        Assert.True(engine.IsDisposed);
    }

    private sealed class ConstantEngine : IEngine
    {
        public bool IsDisposed { get; private set; }

        public EngineDescription Description { get; } = new("constant", ExecutionProvider.Cpu);

        public void Reset(int maxLength) { }

        public void Prefill(ReadOnlySpan<int> prompt) { }

        public int NextToken() => 7;

        public float[] LastLogits() => [];

        public void Dispose() => IsDisposed = true;
    }
}
