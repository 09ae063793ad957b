namespace Llama3Perf.Inference.Verification;

/// <summary>How far one row of logits is from the reference's, all sums in double.</summary>
/// <param name="Maximum">Largest absolute difference of a logit; NaN when a logit is NaN or infinite.</param>
/// <param name="Spread">Highest minus lowest logit of the reference.</param>
/// <param name="Cosine">Cosine of the angle between both rows; NaN when a logit is NaN or infinite.</param>
/// <param name="Divergence">Kullback-Leibler divergence of softmax(ours) from softmax(reference), in nats; NaN when a logit is NaN or
/// infinite.</param>
public sealed record LogitsDifference(double Maximum, double Spread, double Cosine, double Divergence)
{
    /// <summary>True when every logit of both rows is a finite number.</summary>
    public bool IsFinite => double.IsFinite(Maximum);

    /// <summary>The largest difference as a share of the reference's spread; 0 for equal rows.</summary>
    public double Relative => Maximum == 0 ? 0 : Maximum / Spread;

    /// <summary>Compares two rows.</summary>
    /// <param name="reference">The reference's logits, [vocabulary].</param>
    /// <param name="actual">The logits to judge, [vocabulary].</param>
    /// <exception cref="ArgumentException">The rows have different lengths, or none.</exception>
    public static LogitsDifference Between(ReadOnlySpan<float> reference, ReadOnlySpan<float> actual)
    {
        if (reference.Length != actual.Length || reference.Length == 0)
        {
            throw new ArgumentException($"{reference.Length} logits cannot be compared with {actual.Length}", nameof(actual));
        }

        if (!AreFinite(reference) || !AreFinite(actual))
        {
            return new LogitsDifference(double.NaN, double.NaN, double.NaN, double.NaN);
        }

        double maximum = 0,
            product = 0,
            square = 0,
            actualSquare = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            double a = reference[i],
                b = actual[i];
            maximum = Math.Max(maximum, Math.Abs(a - b));
            product += a * b;
            square += a * a;
            actualSquare += b * b;
        }

        // Rows of zeros have no direction: equal ones agree, others do not.
        double cosine =
            square * actualSquare > 0 ? product / Math.Sqrt(square * actualSquare)
            : maximum == 0 ? 1
            : 0;
        return new LogitsDifference(maximum, SpreadOf(reference), cosine, DivergenceOf(reference, actual));
    }

    /// <summary>Highest minus lowest.</summary>
    internal static double SpreadOf(ReadOnlySpan<float> logits) => (double)Highest(logits) - Lowest(logits);

    /// <summary>True when no logit is NaN or infinite.</summary>
    internal static bool AreFinite(ReadOnlySpan<float> logits)
    {
        foreach (float logit in logits)
        {
            if (!float.IsFinite(logit))
            {
                return false;
            }
        }

        return true;
    }

    private static double DivergenceOf(ReadOnlySpan<float> reference, ReadOnlySpan<float> actual)
    {
        double logSum = LogSum(reference),
            actualLogSum = LogSum(actual);
        double divergence = 0;
        for (int i = 0; i < reference.Length; i++)
        {
            double logP = reference[i] - logSum;
            divergence += Math.Exp(logP) * (logP - (actual[i] - actualLogSum));
        }

        // Never below 0 but for rounding.
        return Math.Max(0, divergence);
    }

    /// <summary>Logarithm of the sum of the exponentials: what a logit is above is its token's log probability.</summary>
    internal static double LogSum(ReadOnlySpan<float> logits)
    {
        double highest = Highest(logits),
            sum = 0;
        foreach (float logit in logits)
        {
            sum += Math.Exp(logit - highest);
        }

        return highest + Math.Log(sum);
    }

    private static float Highest(ReadOnlySpan<float> logits) => System.Numerics.Tensors.TensorPrimitives.Max(logits);

    private static float Lowest(ReadOnlySpan<float> logits) => System.Numerics.Tensors.TensorPrimitives.Min(logits);
}
