using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>Compares the engine's logits, of the prompt and of every step after it, with the plain forward pass over the same stored
/// weights.</summary>
internal static class PlainPass
{
    private static readonly int[] s_prompt = [700, 3, 14, 159, 26, 535];

    /// <param name="engine">Loaded with EOS allowed, so that no logit is masked.</param>
    /// <param name="folder">What it has loaded.</param>
    /// <param name="steps">Decode steps.</param>
    /// <param name="tolerance">Largest difference of a logit, for logits whose root mean square is 1.</param>
    public static void AssertFollowed(IEngine engine, ModelFolder folder, int steps, double tolerance) =>
        AssertFollowed(engine, folder, new FolderWeights(folder), steps, tolerance);

    /// <summary>The same with weights from elsewhere.</summary>
    public static void AssertFollowed(
        IEngine engine,
        ModelFolder folder,
        IPlainWeights weights,
        int steps,
        double tolerance,
        PlainStore? store = null
    )
    {
        PlainLlama plain = new(weights, store);
        List<int> tokens = [.. s_prompt.Select(token => token % folder.VocabularySize)];
        engine.Reset(tokens.Count + steps + 1);
        engine.Prefill(tokens.ToArray());
        AssertClose(plain.Logits(tokens), engine.LastLogits(), tolerance, token: null);
        for (int step = 0; step < steps; step++)
        {
            tokens.Add(engine.NextToken());
            if (step > 0)
            {
                AssertClose(plain.Logits(tokens[..^1]), engine.LastLogits(), tolerance, tokens[^1]);
            }
        }
    }

    /// <summary>What a precision loses on its way: int8 and int4 quantize activations to 8 bits at accuracy level 4.</summary>
    public static double Tolerance(Precision precision) =>
        precision switch
        {
            Precision.Fp32 => 1e-4,
            Precision.Fp16 => 2e-2,
            _ => 2e-1,
        };

    private static void AssertClose(float[] expected, float[] actual, double tolerance, int? token)
    {
        // Our folders' logits have a root mean square of about 1; a fixture's go up to 17, with errors in proportion.
        double limit = tolerance * Math.Max(1, Math.Sqrt(Dot(expected, expected) / expected.Length));
        double worst = expected.Zip(actual, (e, a) => Math.Abs((double)e - a)).Max();
        double cosine = Dot(expected, actual) / Math.Sqrt(Dot(expected, expected) * Dot(actual, actual));
        Assert.True(worst <= limit, $"a logit is {worst} off, more than {limit}");
        Assert.True(cosine >= 0.999, $"the cosine is {cosine}");

        // Only where the reference is sure by more than the error could be.
        float[] sorted = [.. expected.OrderDescending().Take(2)];
        if (token is { } chosen && sorted[0] - sorted[1] > 2 * limit)
        {
            Assert.Equal(Array.IndexOf(expected, sorted[0]), chosen);
        }
    }

    private static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
