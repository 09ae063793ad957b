using System.Globalization;
using Llama3Perf.Inference.Verification;
using Llama3Perf.Results.Files;

namespace Llama3Perf.Benchmarks.Terminal;

/// <summary>Shows a verification: a row for each prompt, the limits, the verdict.</summary>
internal static class VerificationDisplay
{
    /// <param name="tested">What was verified.</param>
    /// <param name="reference">What it was held against.</param>
    /// <param name="verification">The answers.</param>
    /// <param name="hasOwnArithmetic">Whether two runtimes computed the same weights.</param>
    public static void Show(string tested, string reference, ModelVerification verification, bool hasOwnArithmetic)
    {
        Screen.Table(
            new TextTable(
                [
                    new("prompt", false),
                    new("max difference", true),
                    new("of the spread", true),
                    new("cosine", true),
                    new("mean KL, nats", true),
                    new("top-1", true),
                    new("greedy", true),
                    new("ties", true),
                    new("first disagreement", false),
                ],
                [.. verification.Cases.Select(Row)]
            )
        );
        VerificationLimits limits = verification.Limits;
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"Limits: difference {limits.MaxDifference} of the spread, cosine {limits.MinCosine}, KL {limits.MaxDivergence} nats, "
                    + $"{limits.MinTokens} greedy tokens."
            )
        );
        if (hasOwnArithmetic)
        {
            Console.WriteLine("The two runtimes round activations differently: what differs within the limits is a finding, not a fault.");
        }

        Console.WriteLine(
            verification.Failure is { } failure
                ? $"FAIL: {tested} against {reference}: {failure}."
                : $"PASS: {tested} agrees with {reference} on {verification.Cases.Count} prompts."
        );
    }

    private static string[] Row(VerifiedCase verified) =>
        [
            verified.Prompt,
            Number(verified.Maximum),
            Number(verified.Relative),
            verified.Cosine.ToString("0.000000", CultureInfo.InvariantCulture),
            Number(verified.Divergence),
            $"{verified.TopTokens} of {verified.Tokens}",
            $"{verified.AgreedTokens} of {verified.Tokens}",
            $"{verified.Ties}",
            First(verified.First),
        ];

    private static string First(Disagreement? first) =>
        first is null ? ""
        : double.IsNaN(first.Margin) ? $"token {first.Index + 1}: NaN or infinite logits"
        : $"token {first.Index + 1}: {first.Actual} for {first.Expected}, margin "
            + $"{Number(first.Margin)}{(first.IsReferencesMargin ? "" : " of its own")}";

    private static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
}
