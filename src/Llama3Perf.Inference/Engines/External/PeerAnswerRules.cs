using Llama3Perf.Inference.Machine;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>What a generation that a peer reports must fulfil, and what becomes of it.</summary>
internal static class PeerAnswerRules
{
    private const double TolerableShare = 0.02;
    private const double TolerableMs = 5;

    /// <summary>What is wrong with a generation, to follow the program's name; null when nothing is.</summary>
    public static string? WhyWrong(GenerateResult result, int newTokens, LoadResult model)
    {
        if (result.Tokens.Length != newTokens)
        {
            return $"generated {result.Tokens.Length} tokens instead of {newTokens}";
        }

        if (result.TokenNs.Length != newTokens)
        {
            return $"told {result.TokenNs.Length} times for {newTokens} tokens";
        }

        foreach (int id in result.Tokens)
        {
            if ((uint)id >= (uint)model.VocabSize)
            {
                return $"generated the token {id}, and its vocabulary has {model.VocabSize}";
            }

            if (model.EosTokenIds?.Contains(id) is true)
            {
                return $"generated the end-of-sequence token {id}, which it was to leave out of the choice";
            }
        }

        return WhyWrongTimes(result)
            ?? WhyWrongMemory(result.Memory)
            ?? (
                result.LastLogits is { } logits && logits.Length != model.VocabSize
                    ? $"told {logits.Length} logits, and its vocabulary has {model.VocabSize}"
                    : null
            );
    }

    /// <summary>A generation in the suite's own terms: milliseconds from the start that the peer took.</summary>
    public static GenerationResult ToResult(PeerReply<GenerateResult> reply, int promptTokens, DateTimeOffset startUtc)
    {
        GenerateResult result = reply.Result;
        double difference = Math.Abs(Milliseconds(result.ReceivedNs, result.EndNs) - reply.ElapsedMs);
        return new GenerationResult
        {
            StartUtc = startUtc,
            PromptTokens = promptTokens,
            NewTokens = result.Tokens,
            TokenMs = Array.ConvertAll(result.TokenNs, time => Milliseconds(result.StartNs, time)),
            PrefillMs = Milliseconds(result.StartNs, result.PrefillEndNs),
            ResetMs = Milliseconds(result.ReceivedNs, result.StartNs),
            ClockDisagreementMs = difference > Math.Max(TolerableShare * reply.ElapsedMs, TolerableMs) ? difference : null,
            PeakRssBytes = result.Memory?.PeakRssBytes,
            PeakGpuBytes = result.Memory?.PeakDeviceBytes,
            CpuFallbackOps = result.CpuFallbackOps is { Length: > 0 } names
                ? Array.ConvertAll(names, name => ProgramText.OneLine(name ?? ""))
                : null,
            LastLogits = result.LastLogits is { } logits ? Array.ConvertAll(logits, logit => logit ?? float.NaN) : null,
        };
    }

    // Equal times of neighbours pass: the resolution of some clocks is coarse. Rates over no time at all do not.
    private static string? WhyWrongTimes(GenerateResult result)
    {
        if (result.StartNs < result.ReceivedNs)
        {
            return $"told a start at {result.StartNs} ns, before the request that it read at {result.ReceivedNs} ns";
        }

        if (result.PrefillEndNs <= result.StartNs)
        {
            return $"told a prompt that was done at {result.PrefillEndNs} ns and begun at {result.StartNs} ns";
        }

        long before = result.PrefillEndNs;
        for (int i = 0; i < result.TokenNs.Length; i++)
        {
            if (result.TokenNs[i] < before)
            {
                return $"told a time that runs backwards: token {i + 1} at {result.TokenNs[i]} ns, after {before} ns";
            }

            before = result.TokenNs[i];
        }

        // As milliseconds from the start, which is what rates are made of: far from it nanoseconds are lost.
        if (
            result.TokenNs.Length > 1
            && Milliseconds(result.StartNs, result.TokenNs[^1]) <= Milliseconds(result.StartNs, result.TokenNs[0])
        )
        {
            return $"told one time for all {result.TokenNs.Length} tokens, {before} ns";
        }

        return result.EndNs < before ? $"told a time that runs backwards: the end at {result.EndNs} ns, after {before} ns" : null;
    }

    private static string? WhyWrongMemory(PeerMemory? memory) =>
        memory is { PeakRssBytes: < 0 } or { PeakDeviceBytes: < 0 }
            ? $"told a negative amount of memory: {memory.PeakRssBytes ?? memory.PeakDeviceBytes} bytes"
            : null;

    // Times ascend, so their difference fits into an unsigned number even where it overflows a signed one.
    private static double Milliseconds(long from, long to) => unchecked((ulong)(to - from)) / 1e6;
}
