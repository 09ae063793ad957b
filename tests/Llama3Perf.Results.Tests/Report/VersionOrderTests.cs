using CsCheck;
using Llama3Perf.Results.Report;

namespace Llama3Perf.Results.Tests.Report;

public sealed class VersionOrderTests
{
    [Theory]
    [InlineData("32.0.15.9", "32.0.15.10")]
    [InlineData("1.9.0", "1.31.1")]
    [InlineData("1.31", "1.31.1")]
    [InlineData("566.03", "572.16")]
    [InlineData("rc9", "rc10")]
    [InlineData("", "1")]
    public void Earlier_versions_come_first(string earlier, string later)
    {
        Assert.True(VersionOrder.Instance.Compare(earlier, later) < 0);
        Assert.True(VersionOrder.Instance.Compare(later, earlier) > 0);
    }

    [Fact]
    public void Any_texts_have_one_order()
    {
        Gen<string> text = Gen.String[Gen.Char["0019.a-"], 0, 6];
        Gen.Select(text, text, text)
            .Sample(
                (a, b, c) =>
                {
                    VersionOrder order = VersionOrder.Instance;
                    bool isReversed = Math.Sign(order.Compare(a, b)) == -Math.Sign(order.Compare(b, a));
                    bool isTransitive = order.Compare(a, b) > 0 || order.Compare(b, c) > 0 || order.Compare(a, c) <= 0;
                    return isReversed && isTransitive && (order.Compare(a, b) == 0) == (a == b);
                }
            );
    }
}
