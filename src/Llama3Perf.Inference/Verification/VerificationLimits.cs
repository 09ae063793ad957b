using System.Globalization;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Verification;

/// <summary>What two computations of one model share, and with it how far apart right answers may be.</summary>
public enum Closeness
{
    /// <summary>Weights, provider and arithmetic: nothing but the order of sums may differ.</summary>
    Same,

    /// <summary>Weights and type of activations: providers and forms of the graph round differently.</summary>
    Rounding,

    /// <summary>Weights; one side rounds its activations to 8 bits, and a value at an edge moves by a whole step; or it adds up in half
    /// precision, which costs as much.</summary>
    RoundedActivations,

    /// <summary>Weights; keys and values are rounded to 8 bits on one side, or by another provider.</summary>
    RoundedCache,

    /// <summary>Weights; keys and values are rounded to 4 bits on one side, a tenth of the largest of them away.</summary>
    CoarseCache,

    /// <summary>Weights; an engine computes in an arithmetic of its own, and with 8 and 4 bits rounds activations in its own
    /// way.</summary>
    OtherArithmetic,

    /// <summary>The checkpoint: the reference computes from the weights before they were quantized.</summary>
    OtherWeights,
}

/// <summary>What a verification tolerates; docs/verify.md has the measured distributions behind the usual ones.</summary>
/// <param name="MaxDifference">Largest difference of a logit at any position, as a share of the reference's spread there.</param>
/// <param name="MinCosine">Smallest cosine between the rows of logits of any position.</param>
/// <param name="MaxDivergence">Largest mean Kullback-Leibler divergence over the positions of all prompts, in nats.</param>
/// <param name="MinTokens">Greedy tokens that must agree, ties included; all of the reference's where it has fewer.</param>
public sealed record VerificationLimits(double MaxDifference, double MinCosine, double MaxDivergence, int MinTokens)
{
    /// <summary>The usual limits between two computations.</summary>
    public static VerificationLimits Between(VerifiedSide tested, VerifiedSide reference) =>
        For(tested.Folder.Precision, ClosenessOf(tested, reference));

    /// <summary>The usual limits.</summary>
    /// <param name="precision">Storage of the weights that are verified.</param>
    /// <param name="closeness">What the reference shares with them.</param>
    public static VerificationLimits For(Precision precision, Closeness closeness) =>
        (closeness, precision) switch
        {
            (Closeness.Same, _) => new VerificationLimits(1e-3, 0.99999, 1e-5, Reference.NewTokens),
            (Closeness.Rounding, Precision.Fp32) => new VerificationLimits(1e-3, 0.99999, 1e-5, Reference.NewTokens),
            (Closeness.Rounding, _) or (Closeness.OtherArithmetic, Precision.Fp32 or Precision.Fp16) => new VerificationLimits(
                0.02,
                0.999,
                1e-3,
                Reference.NewTokens
            ),
            (Closeness.RoundedActivations, _) => new VerificationLimits(0.06, 0.995, 0.01, Reference.NewTokens),
            (Closeness.OtherArithmetic, _) => new VerificationLimits(0.1, 0.98, 0.03, Reference.NewTokens),
            (Closeness.RoundedCache, _) => new VerificationLimits(0.15, 0.97, 0.03, Reference.NewTokens),
            // What greedy search makes of such logits is another text.
            (Closeness.CoarseCache, _) => new VerificationLimits(0.45, 0.8, 0.5, 0),
            (_, Precision.Fp32) => new VerificationLimits(1e-4, 0.9999, 1e-4, Reference.NewTokens),
            (_, Precision.Fp16) => new VerificationLimits(0.01, 0.999, 1e-3, Reference.NewTokens),
            // Eight bits of a number are kept in both.
            (_, Precision.Int8 or Precision.Bf16) => new VerificationLimits(0.06, 0.99, 0.02, 24),
            _ => new VerificationLimits(0.45, 0.8, 0.5, 16),
        };

    /// <summary>The usual limits against a reference.json, which was computed before anything was rounded.</summary>
    /// <param name="tested">What is verified.</param>
    public static VerificationLimits OfFile(ModelFolder tested) =>
        For(
            tested.Precision,
            (tested.Arithmetic.CacheBits, tested.Precision) switch
            {
                (4, _) => Closeness.CoarseCache,
                (8, Precision.Fp32 or Precision.Fp16) => Closeness.RoundedCache,
                _ => Closeness.OtherWeights,
            }
        );

    /// <summary>What is beyond the limits of a row of logits; null when nothing is.</summary>
    internal string? WhyBeyond(double relative, double cosine, string where = "") =>
        relative > MaxDifference
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"logits differ by {relative:0.#######} of their spread{where}, the limit is {MaxDifference:0.#######}"
            )
        : cosine < MinCosine
            ? string.Create(CultureInfo.InvariantCulture, $"the cosine is {cosine:0.#######}, the limit is {MinCosine:0.#######}")
        : null;

    /// <summary>What is beyond the limit of the mean over all rows; null when nothing is.</summary>
    internal string? WhyBeyond(double divergence) =>
        divergence > MaxDivergence
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the mean KL divergence is {divergence:0.########} nats, the limit is {MaxDivergence:0.########}"
            )
            : null;

    private static Closeness? OfCache(int? bits) =>
        bits switch
        {
            null => null,
            4 => Closeness.CoarseCache,
            _ => Closeness.RoundedCache,
        };

    /// <summary>What two computations share.</summary>
    public static Closeness ClosenessOf(VerifiedSide tested, VerifiedSide reference)
    {
        (ModelFolder a, ModelFolder b) = (tested.Folder, reference.Folder);
        bool hasOneArithmetic = tested.Kind.HasOnnxRuntimeArithmetic && reference.Kind.HasOnnxRuntimeArithmetic;
        Closeness? cache = OfCache(tested.CacheBits ?? reference.CacheBits);
        return (a.Precision, a.BlockSize) != (b.Precision, b.BlockSize) ? Closeness.OtherWeights
            : hasOneArithmetic
            && tested.Options.Provider == reference.Options.Provider
            && tested.RoundsActivations == reference.RoundsActivations
            && (a.Family, a.Arithmetic) == (b.Family, b.Arithmetic)
                ? Closeness.Same
            : cache == Closeness.CoarseCache ? Closeness.CoarseCache
            : !hasOneArithmetic ? Closeness.OtherArithmetic
            : cache
                ?? (
                    tested.RoundsActivations || reference.RoundsActivations || tested.AddsInHalfPrecision || reference.AddsInHalfPrecision
                        ? Closeness.RoundedActivations
                        : Closeness.Rounding
                );
    }
}
