using Llama3Perf.Models;

namespace Llama3Perf.Inference.Verification;

/// <summary>What a verification tolerates.</summary>
/// <param name="MaxDifference">Largest difference of a logit, as a share of the reference's spread.</param>
/// <param name="MinCosine">Smallest cosine between the rows of logits.</param>
/// <param name="MaxDivergence">Largest Kullback-Leibler divergence, in nats.</param>
/// <param name="MinTokens">Greedy tokens that must agree, ties included; all of the reference's where it has fewer.</param>
public sealed record VerificationLimits(double MaxDifference, double MinCosine, double MaxDivergence, int MinTokens)
{
    /// <summary>The usual limits.</summary>
    /// <param name="precision">Storage of the weights that are verified.</param>
    /// <param name="sameWeights">
    /// True when the reference computes from the same stored weights: then only arithmetic differs. False when it may compute from the
    /// weights before they were quantized.
    /// </param>
    public static VerificationLimits For(Precision precision, bool sameWeights) =>
        precision switch
        {
            Precision.Fp32 => new VerificationLimits(1e-4, 0.9999, 1e-4, Reference.NewTokens),
            Precision.Fp16 => new VerificationLimits(0.01, 0.999, 0.01, Reference.NewTokens),
            Precision.Int8 => sameWeights
                ? new VerificationLimits(0.03, 0.995, 0.02, Reference.NewTokens)
                : new VerificationLimits(0.05, 0.99, 0.05, 24),
            _ => sameWeights ? new VerificationLimits(0.05, 0.99, 0.05, Reference.NewTokens) : new VerificationLimits(0.5, 0.8, 2, 16),
        };
}
