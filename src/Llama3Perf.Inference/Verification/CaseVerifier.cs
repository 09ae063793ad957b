using Llama3Perf.Models;

namespace Llama3Perf.Inference.Verification;

/// <summary>Has an engine answer one prompt, and compares.</summary>
internal static class CaseVerifier
{
    public static VerifiedCase Verify(IEngine engine, ModelFolder folder, ReferenceCase reference, VerificationLimits limits)
    {
        int count = reference.GreedyTokens.Length;
        GreedyRun run = new(engine, reference.InputIds, Math.Max(1, count), folder.EosTokenIds);
        run.Start([]);
        VerifiedCase verified = new(
            reference.Prompt,
            LogitsDifference.Between(reference.LastLogits, engine.LastLogits()),
            0,
            count,
            0,
            null
        );
        for (int step = 0; verified.Logits.IsFinite && step < count; step++)
        {
            Disagreement? difference = Step(engine, run, reference, step);
            if (difference is not null && IsTie(difference, Logits(engine, reference, step), limits))
            {
                verified = verified with { Ties = verified.Ties + 1 };
            }
            else if (difference is not null)
            {
                return verified with { First = difference };
            }

            verified = verified with { AgreedTokens = step + 1 };
            run.Continue(new ArraySegment<int>(reference.GreedyTokens, 0, step + 1));
        }

        return verified;
    }

    private static Disagreement? Step(IEngine engine, GreedyRun run, ReferenceCase reference, int step)
    {
        int expected = reference.GreedyTokens[step];
        int actual;
        try
        {
            actual = run.Next();
        }
        catch (EngineException) when (!LogitsDifference.AreFinite(engine.LastLogits()))
        {
            return new Disagreement(step, expected, -1, double.NaN, IsReferencesMargin: false);
        }

        float[] own = engine.LastLogits();
        if (!LogitsDifference.AreFinite(own))
        {
            return new Disagreement(step, expected, actual, double.NaN, IsReferencesMargin: false);
        }

        return actual == expected ? null
            : reference.LogitsOf(step) is { } logits
                ? new Disagreement(step, expected, actual, (double)logits[expected] - logits[actual], IsReferencesMargin: true)
            : new Disagreement(step, expected, actual, (double)own[actual] - own[expected], IsReferencesMargin: false);
    }

    private static float[] Logits(IEngine engine, ReferenceCase reference, int step) => reference.LogitsOf(step) ?? engine.LastLogits();

    private static bool IsTie(Disagreement difference, float[] logits, VerificationLimits limits) =>
        difference.Margin <= limits.MaxDifference * LogitsDifference.SpreadOf(logits);
}
