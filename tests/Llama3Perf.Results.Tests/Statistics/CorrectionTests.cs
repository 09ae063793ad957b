using CsCheck;
using Llama3Perf.Results.Statistics;

namespace Llama3Perf.Results.Tests.Statistics;

public sealed class CorrectionTests
{
    [Fact]
    public void Holm_by_hand() =>
        Assert.Equal([0.03, 0.06, 0.06, 0.02], Holm.Adjust([0.01, 0.04, 0.03, 0.005]).Select(p => Math.Round(p, 12)));

    [Fact]
    public void Holm_keeps_the_order_and_lies_between_p_and_Bonferroni() => Gen.Double[0, 1].Array[1, 20].Sample(p =>
    {
        double[] adjusted = Holm.Adjust(p);
        for (int i = 0; i < p.Length; i++)
        {
            Assert.InRange(adjusted[i], p[i], Math.Min(1, p[i] * p.Length) + 1e-12);
            Assert.All(Enumerable.Range(0, p.Length), j => Assert.True(p[i] > p[j] || adjusted[i] <= adjusted[j]));
        }
    });

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1.959963984540054, 0.025)]
    [InlineData(3, 1.349898031630095e-3)]
    [InlineData(6, 9.865876450376981e-10)]
    [InlineData(10, 7.619853024160527e-24)]
    [InlineData(-1, 0.8413447460685429)]
    public void The_normal_tail_is_precise_far_out(double z, double expected) => Assert.Equal(1, Normal.UpperTail(z) / expected, 1e-12);

    [Fact]
    public void Variance_components_of_a_worked_example()
    {
        // Launch means 1, 2 and 3 on the logarithms, iterations 0.1 around them.
        double[][] logs = [[0.9, 1.1], [1.9, 2.1], [2.9, 3.1]];
        VarianceComponents components = VarianceComponents.Of(new LogSample(logs.Select(launch => launch.Select(Math.Exp).ToArray())))!;
        double within = 6 * 0.01 / 3;
        double between = 2 * 2.0 / 2;
        Assert.Equal(Math.Sqrt(within), components.WithinSd, 1e-9);
        Assert.Equal(Math.Sqrt((between - within) / 2), components.BetweenSd, 1e-9);
        Assert.Equal(3, components.Launches);
        Assert.Equal(Math.Sqrt(2 * between / 2 / 3), components.SdOfDifference(3, 2), 1e-9);
    }

    [Fact]
    public void Too_few_launches_have_no_variance_components()
    {
        Assert.Null(VarianceComponents.Of(new LogSample([[1, 2, 3]])));
        Assert.Null(VarianceComponents.Of(new LogSample([[1], [2], [3]])));
        Assert.Equal(0, VarianceComponents.Of(new LogSample([[1, 2], [1, 2]]))!.BetweenSd);
    }
}
