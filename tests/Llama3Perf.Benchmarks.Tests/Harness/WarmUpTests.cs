using Llama3Perf.Benchmarks.Harness;

namespace Llama3Perf.Benchmarks.Tests.Harness;

public sealed class WarmUpTests
{
    [Fact]
    public void Without_one_asked_for_there_is_none() => Assert.True(new WarmUp(0).IsOver);

    [Fact]
    public void It_lasts_until_two_generations_take_as_long_and_nothing_is_compiled()
    {
        WarmUp warmUp = new(1);
        warmUp.Add(900, compiledMethods: 40, collections: 0);
        Assert.False(warmUp.IsOver);
        warmUp.Add(600, 3, 0);
        warmUp.Add(590, 1, 0);
        Assert.False(warmUp.IsOver);
        warmUp.Add(595, 0, 1);
        Assert.False(warmUp.IsOver);
        warmUp.Add(600, 0, 0);

        Assert.Equal((true, true, 5, 3285), (warmUp.IsOver, warmUp.IsSettled, warmUp.Count, warmUp.TotalMs));
    }

    [Fact]
    public void Short_generations_go_on_for_half_a_second()
    {
        WarmUp warmUp = new(1);
        while (!warmUp.IsOver)
        {
            warmUp.Add(100, 0, 0);
        }

        Assert.Equal((5, true), (warmUp.Count, warmUp.IsSettled));
    }

    [Fact]
    public void As_many_as_were_asked_for_are_made_though_it_settles_before()
    {
        WarmUp warmUp = new(6);
        while (!warmUp.IsOver)
        {
            warmUp.Add(1000, 0, 0);
        }

        Assert.Equal(6, warmUp.Count);
    }

    [Theory]
    [InlineData(10, 11)]
    [InlineData(3000, 2)]
    public void A_limit_ends_one_that_never_settles(double ms, int expected)
    {
        WarmUp warmUp = new(1);
        for (int i = 0; !warmUp.IsOver; i++)
        {
            warmUp.Add(ms * (i % 2 == 0 ? 1 : 2), 0, 0);
        }

        Assert.Equal((expected, false), (warmUp.Count, warmUp.IsSettled));
    }
}
