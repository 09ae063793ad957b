using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Tests.Machine;

public sealed class PhysicalCoresTests
{
    [Fact]
    public void There_is_at_least_one_core_and_no_more_than_processors() =>
        Assert.InRange(PhysicalCores.Count, 1, Environment.ProcessorCount);

    [Theory]
    [InlineData("0-3", new[] { 0, 1, 2, 3 })]
    [InlineData("\t0,2-3,8\n", new[] { 0, 2, 3, 8 })]
    [InlineData("", new int[0])]
    public void A_processor_list_is_read_as_linux_writes_it(string list, int[] expected) =>
        Assert.Equal(expected, PhysicalCores.ParseList(list));
}
