using Llama3Perf.Benchmarks.Planning;
using Llama3Perf.Benchmarks.Running;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Conditions;

namespace Llama3Perf.Benchmarks.Tests.Running;

public sealed class QuietMachineTests
{
    private static readonly ForeignLoad s_busy = new(1.7, 2);
    private static readonly ForeignLoad s_quiet = new(0.05, 2);

    [Fact]
    public void A_quiet_machine_is_not_talked_about() =>
        Assert.Empty(Lines(new SuiteOptions { Strict = true, WaitIdle = TimeSpan.FromMinutes(5) }, s_quiet));

    [Fact]
    public void A_busy_one_gets_one_line_with_what_would_help() =>
        Assert.Equal(
            [
                "Other processes use 1.7 of 2 cores: expect slow and scattered figures. 2 spinning threads share cores with others: --spin "
                    + "off gives more.",
            ],
            Lines(new SuiteOptions { Threads = 2 }, s_busy)
        );

    [Theory]
    [InlineData("off")]
    [InlineData("on")]
    public void Who_chose_how_threads_wait_gets_no_hint(string spin) =>
        Assert.EndsWith("scattered figures.", Assert.Single(Lines(new SuiteOptions { Threads = 2, Spin = spin }, s_busy)));

    [Fact]
    public void Waiting_ends_when_others_end()
    {
        string line = Assert.Single(Lines(new SuiteOptions { WaitIdle = TimeSpan.FromMinutes(5), Strict = true }, s_busy, s_busy, s_quiet));

        Assert.Equal("Waiting up to 5 min: other processes use 1.7 of 2 cores.", line);
    }

    [Fact]
    public void Strict_refuses_a_busy_machine_and_one_that_does_not_tell()
    {
        Assert.Contains(
            "other processes use 1.7 of 2 cores",
            Assert.Throws<EngineException>(() => Lines(new SuiteOptions { Strict = true }, s_busy)).Message
        );
        Assert.Contains("does not tell", Assert.Throws<EngineException>(() => Lines(new SuiteOptions { Strict = true }, [null])).Message);
    }

    [Fact]
    public void A_system_that_does_not_tell_is_measured_in_silence() => Assert.Empty(Lines(new SuiteOptions(), [null]));

    private static List<string> Lines(SuiteOptions options, params ForeignLoad?[] looks)
    {
        Queue<ForeignLoad?> next = new(looks);
        List<string> lines = [];
        new QuietMachine(_ => next.Dequeue(), lines.Add).Check(options);
        return lines;
    }
}
