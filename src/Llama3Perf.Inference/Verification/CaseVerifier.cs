using Llama3Perf.Models;

namespace Llama3Perf.Inference.Verification;

/// <summary>Has an engine answer one prompt along the reference's own tokens, and compares every position.</summary>
internal static class CaseVerifier
{
    public static VerifiedCase Verify(
        IEngine engine,
        ModelFolder folder,
        ReferenceCase reference,
        VerificationLimits limits,
        Action? onToken = null
    )
    {
        int count = reference.GreedyTokens.Length;
        GreedyRun run = new(engine, reference.InputIds, Math.Max(1, count), folder.EosTokenIds);
        run.Start([]);
        List<LogitsDifference> positions = [LogitsDifference.Between(reference.LastLogits, engine.LastLogits())];
        VerifiedCase verified = new(reference.Prompt, positions, count, 0, 0, null);
        for (int step = 0; positions[^1].IsFinite && step < count; step++)
        {
            Disagreement? difference = Step(engine, run, reference, step);
            onToken?.Invoke();
            if (difference is { Margin: double.NaN })
            {
                // The rest would be computed on what is no number.
                return verified with { First = verified.First ?? difference };
            }

            if (step > 0 && reference.LogitsOf(step) is { } expected)
            {
                positions.Add(LogitsDifference.Between(expected, engine.LastLogits()));
            }

            verified =
                difference is null ? verified with { TopTokens = verified.TopTokens + 1 }
                : IsTie(difference, Logits(engine, reference, step), limits) ? verified with { Ties = verified.Ties + 1 }
                : verified with { First = verified.First ?? difference };
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
