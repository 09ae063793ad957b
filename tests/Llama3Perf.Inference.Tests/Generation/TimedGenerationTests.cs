using System.Diagnostics;
using Llama3Perf.Inference.Generation;

namespace Llama3Perf.Inference.Tests.Generation;

public sealed class TimedGenerationTests
{
    [Fact]
    public void Calls_an_engine_as_the_contract_says()
    {
        ScriptedEngine engine = new();

        GenerationResult result = TimedGeneration.Run(engine, [7, 8, 9], 7);

        Assert.Equal(["reset 7", "prefill 7 8 9", "next", "next", "next", "next"], engine.Calls);
        Assert.Equal([100, 101, 102, 103], result.NewTokens);
        Assert.Equal(3, result.PromptTokens);
    }

    [Fact]
    public void Times_ascend_from_the_prompt_to_the_last_token_and_leave_the_reset_out()
    {
        ScriptedEngine engine = new()
        {
            ResetMs = 30,
            PrefillMs = 20,
            TokenMs = 5,
        };
        long start = Stopwatch.GetTimestamp();

        GenerationResult result = TimedGeneration.Run(engine, [1, 2], 6);

        double all = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.True(result.ResetMs >= 30);
        Assert.True(result.PrefillMs >= 20);
        Assert.True(result.TtftMs >= result.PrefillMs + 5);
        Assert.True(result.EndToEndMs + result.ResetMs <= all);
        Assert.Equal(result.TokenMs.Order(), result.TokenMs);
        Assert.All(result.InterTokenMs(), latency => Assert.True(latency >= 5));
        Assert.Equal(3, result.InterTokenMs().Length);
    }

    [Fact]
    public void A_callback_sees_each_token_and_ends_the_generation()
    {
        List<int> seen = [];

        GenerationResult result = TimedGeneration.Run(
            new ScriptedEngine(),
            [1],
            100,
            token =>
            {
                seen.Add(token);
                return seen.Count < 3;
            }
        );

        Assert.Equal([100, 101, 102], seen);
        Assert.Equal(seen, result.NewTokens);
        Assert.Equal(3, result.TokenMs.Length);
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 5)]
    [InlineData(6, 5)]
    public void A_prompt_that_is_empty_or_leaves_no_room_is_refused_before_the_engine_is_asked(int prompt, int maxLength)
    {
        ScriptedEngine engine = new();

        Assert.Throws<ArgumentOutOfRangeException>(() => TimedGeneration.Run(engine, new int[prompt], maxLength));
        Assert.Empty(engine.Calls);
    }

    [Fact]
    public void Nothing_is_allocated_between_the_prompt_and_the_last_token()
    {
        AllocationEngine engine = new();
        TimedGeneration.Run(engine, [1, 2, 3], 200);

        TimedGeneration.Run(engine, [1, 2, 3], 200);

        Assert.Equal(0, engine.AllocatedBetweenPrefillAndLastToken);
    }

    /// <summary>Counts up from 100, and takes as long for it as it is told.</summary>
    private sealed class ScriptedEngine : IEngine
    {
        public float[] LastLogits() => throw new NotSupportedException();

        private int _next = 100;

        public double ResetMs { get; init; }

        public double PrefillMs { get; init; }

        public double TokenMs { get; init; }

        public List<string> Calls { get; } = [];

        public EngineDescription Description { get; } = new("scripted", ExecutionProvider.Cpu);

        public void Reset(int maxLength) => Called($"reset {maxLength}", ResetMs);

        public void Prefill(ReadOnlySpan<int> prompt) => Called($"prefill {string.Join(' ', prompt.ToArray())}", PrefillMs);

        public int NextToken()
        {
            Called("next", TokenMs);
            return _next++;
        }

        public void Dispose() { }

        private void Called(string call, double milliseconds)
        {
            Calls.Add(call);
            long start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds)
            {
                Thread.SpinWait(20);
            }
        }
    }

    private sealed class AllocationEngine : IEngine
    {
        public float[] LastLogits() => throw new NotSupportedException();

        private long _before;

        public long AllocatedBetweenPrefillAndLastToken { get; private set; }

        public EngineDescription Description { get; } = new("counting", ExecutionProvider.Cpu);

        public void Reset(int maxLength) { }

        public void Prefill(ReadOnlySpan<int> prompt) => _before = GC.GetAllocatedBytesForCurrentThread();

        public int NextToken()
        {
            AllocatedBetweenPrefillAndLastToken = GC.GetAllocatedBytesForCurrentThread() - _before;
            return 1;
        }

        public void Dispose() { }
    }
}
