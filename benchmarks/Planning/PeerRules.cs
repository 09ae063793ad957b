using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What must hold so that an external engine's figures stand beside ours.</summary>
internal static class PeerRules
{
    /// <summary>The program's own tokenizer must make our ids of the prompt: else it would be given text that it does not mean.</summary>
    /// <exception cref="EngineException">It makes others.</exception>
    public static void CheckPrompt(PlannedCase planned, ExternalGenerator generator)
    {
        if (planned.PromptText is not { } text)
        {
            return;
        }

        // Ours begin with BOS, once, whether or not the template wrote it.
        int[] theirs = generator.Encode(text, addBos: false);
        if (!planned.PromptTokens.SequenceEqual(theirs) && !planned.PromptTokens.Skip(1).SequenceEqual(theirs))
        {
            throw new EngineException(
                $"{planned.Parameters.Engine} makes other tokens of the prompt than the suite ({theirs.Length} and {planned.PromptTokens.Count}): its tokenizer reads the checkpoint's files differently");
        }
    }
}
