using System.Runtime.InteropServices;
using CsCheck;
using Llama3Perf.Models.Checkpoints;

namespace Llama3Perf.Models.Tests.Checkpoints;

public sealed class SourceRowTests
{
    [Fact]
    public void Every_bfloat16_is_widened_exactly()
    {
        ushort[] source = [.. Enumerable.Range(0, 65536).Select(bits => (ushort)bits)];
        float[] row = new float[source.Length];
        SourceRow.Widen(MemoryMarshal.AsBytes<ushort>(source), CheckpointType.BFloat16, row);

        Assert.Equal(source.Select(bits => (uint)bits << 16), row.Select(BitConverter.SingleToUInt32Bits));
    }

    [Fact]
    public void Every_float16_is_widened_exactly()
    {
        Half[] source =
        [
            .. Enumerable.Range(0, 65536).Select(bits => BitConverter.UInt16BitsToHalf((ushort)bits)).Where(half => !Half.IsNaN(half)),
        ];
        float[] row = new float[source.Length];
        SourceRow.Widen(MemoryMarshal.AsBytes<Half>(source), CheckpointType.Float16, row);

        Assert.Equal(source.Select(half => (float)half), row);
    }

    [Fact]
    public void Rounds_to_float16_as_the_runtime_does() =>
        Gen.Float[-65504, 65504]
            .Array[1, 40]
            .Sample(values =>
            {
                float[] row = [.. values];
                Half[] half = new Half[row.Length];
                SourceRow.MakeStorable(row, half, "t", new ConversionCounts());

                Assert.Equal(values.Select(value => (Half)value), half);
                Assert.Equal(half.Select(value => (float)value), row);
            });

    [Fact]
    public void Saturates_and_counts_what_float16_cannot_hold()
    {
        var counts = new ConversionCounts();
        float[] row = [1, 65519.99f, 65520, -1e30f, 65504, -65519, 0];
        Half[] half = new Half[row.Length];
        SourceRow.MakeStorable(row, half, "t", counts);

        Assert.Equal(2, counts.Overflows);
        Assert.Equal([1, 65504, 65504, -65504, 65504, -65504, 0], row);
        counts.RequireFinite("checkpoint");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Counts_and_replaces_what_is_no_number(bool toHalf)
    {
        var counts = new ConversionCounts();
        float[] row = [.. Enumerable.Repeat(1f, 20), float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.NaN];
        SourceRow.MakeStorable(row, toHalf ? new Half[row.Length] : [], "model.norm.weight", counts);

        float largest = toHalf ? 65504 : float.MaxValue;
        Assert.Equal([0, largest, -largest, 0], row[20..]);
        Assert.Equal((2, 2, 0), (counts.NaNs, counts.Infinities, counts.Overflows));
        string message = Assert.Throws<ModelException>(() => counts.RequireFinite("folder")).Message;
        Assert.Contains("2 NaN and 2 infinite weights", message);
        Assert.Contains("model.norm.weight", message);
    }
}
