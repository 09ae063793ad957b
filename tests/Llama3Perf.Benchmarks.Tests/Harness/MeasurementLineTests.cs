using Llama3Perf.Benchmarks.Harness;
using Llama3Perf.Inference;

namespace Llama3Perf.Benchmarks.Tests.Harness;

public sealed class MeasurementLineTests
{
    [Fact]
    public void An_iteration_comes_back_as_it_was_sent()
    {
        GenerationResult result = new()
        {
            StartUtc = new DateTimeOffset(2026, 11, 23, 1, 2, 3, TimeSpan.Zero),
            PromptTokens = 4,
            NewTokens = [7, 8, 9],
            TokenMs = [1.0 / 3, 10.5, 12.25],
            PrefillMs = 10.125,
            ResetMs = 0.1,
        };

        string line = new IterationMeasured(IsWarmUp: true, result, PeakRssBytes: 1L << 40).Format();

        IterationMeasured back = Assert.IsType<IterationMeasured>(MeasurementLine.Parse(line));
        Assert.DoesNotContain('\n', line);
        Assert.True(back.IsWarmUp);
        Assert.Equal(1L << 40, back.PeakRssBytes);
        Assert.Equivalent(result, back.Result, strict: true);
    }

    [Fact]
    public void A_start_carries_the_engine_and_its_libraries()
    {
        LaunchStarted started = new(12.5, new EngineDescription("ort", ExecutionProvider.Cpu) { Threads = 2 }, []);

        LaunchStarted back = Assert.IsType<LaunchStarted>(MeasurementLine.Parse(started.Format()));

        Assert.Equal(started.Engine, back.Engine);
        Assert.Equal(12.5, back.ModelLoadMs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("// AfterActualRun")]
    [InlineData("WorkloadActual  1: 1 op, 12.00 ns, 12.00 ns/op")]
    public void Other_lines_are_not_measurements(string line) => Assert.Null(MeasurementLine.Parse(line));
}
