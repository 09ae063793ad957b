using CsCheck;
using Llama3Perf.Inference.Generation;

namespace Llama3Perf.Inference.Tests.Generation;

public sealed class ArgmaxTests
{
    // Few different values, so that equals are common; any length, so that no vector width is special.
    private static readonly Gen<float[]> s_numbers = Gen.OneOf(
        Gen.Float[-1e4f, 1e4f],
        Gen.Int[-3, 3].Select(i => (float)i),
        Gen.Int[0, 3]
            .Select(i =>
                i switch
                {
                    0 => float.NegativeInfinity,
                    1 => float.PositiveInfinity,
                    2 => -65504f,
                    _ => 1e-7f,
                }
            )
    ).Array[1, 300];

    [Fact]
    public void Finds_the_first_of_the_largest_float32() =>
        s_numbers.Sample(numbers => Argmax.Of(numbers) == Array.IndexOf(numbers, numbers.Max()));

    [Fact]
    public void Finds_the_first_of_the_largest_float16() =>
        s_numbers.Sample(numbers =>
        {
            // Adding 0 makes 0 of -0, which only the bits tell apart.
            Half[] halves = Array.ConvertAll(numbers, number => (Half)number + Half.Zero);
            return Argmax.Of(halves) == Array.IndexOf(halves, halves.Max());
        });
}
