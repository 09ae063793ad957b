using Llama3Perf.Benchmarks.Planning;

namespace Llama3Perf.Benchmarks.Tests.Planning;

public sealed class MeasurableBuildTests
{
    [Theory]
    [InlineData(true, false, null)]
    [InlineData(false, false, "this is a Debug build, whose figures mean nothing: build with -c Release")]
    [InlineData(true, true, "a debugger is attached, and figures under it mean nothing: start without one")]
    [InlineData(false, true, "this is a Debug build, whose figures mean nothing: build with -c Release")]
    public void What_gives_figures_that_mean_nothing_is_refused(bool isOptimized, bool hasDebugger, string? expected) =>
        Assert.Equal(expected, MeasurableBuild.WhyNot(isOptimized, hasDebugger));
}
