using Llama3Perf.Inference.Verification;

namespace Llama3Perf.Inference.Tests.Verification;

public sealed class LogitsDifferenceTests
{
    [Fact]
    public void By_hand()
    {
        // softmax(0, ln 3) = 1/4, 3/4; softmax(0, 0) = 1/2, 1/2.
        var difference = LogitsDifference.Between([0, MathF.Log(3)], [0, 0]);

        Assert.Equal(Math.Log(3), difference.Maximum, 6);
        Assert.Equal(Math.Log(3), difference.Spread, 6);
        Assert.Equal(1, difference.Relative, 6);
        Assert.Equal((0.25 * Math.Log(0.25 / 0.5)) + (0.75 * Math.Log(0.75 / 0.5)), difference.Divergence, 6);

        difference = LogitsDifference.Between([3, 4, -1], [4, 3, -1]);
        Assert.Equal((1.0, 5.0, 0.2), (difference.Maximum, difference.Spread, difference.Relative));
        Assert.Equal(25.0 / 26, difference.Cosine, 12);
    }

    [Fact]
    public void Equal_rows_differ_by_nothing_whatever_their_size()
    {
        float[] row = [1e30f, -1e30f, 5];
        Assert.Equal(new LogitsDifference(0, LogitsDifference.SpreadOf(row), 1, 0), LogitsDifference.Between(row, row));
        Assert.Equal(0, LogitsDifference.Between([0, 0], [0, 0]).Relative);
        Assert.Equal(1, LogitsDifference.Between([0, 0], [0, 0]).Cosine);
    }

    [Fact]
    public void A_constant_shift_changes_no_probability()
    {
        var difference = LogitsDifference.Between([1, 2, 3], [101, 102, 103]);
        Assert.Equal(100, difference.Maximum);
        Assert.Equal(0, difference.Divergence, 12);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_no_number_is_not_finite(float bad)
    {
        Assert.False(LogitsDifference.Between([1, 2], [1, bad]).IsFinite);
        Assert.False(LogitsDifference.Between([1, bad], [1, 2]).IsFinite);
    }

    [Fact]
    public void Rows_of_different_lengths_are_refused() => Assert.Throws<ArgumentException>(() => LogitsDifference.Between([1, 2], [1]));
}
