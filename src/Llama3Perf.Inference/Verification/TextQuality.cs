using System.Runtime.InteropServices;
using Llama3Perf.Inference.Engines.Ort;
using Llama3Perf.Models;
using Llama3Perf.Models.Folders;

namespace Llama3Perf.Inference.Verification;

/// <summary>What a model makes of a text that it is given: how well it foretells each next token, and how far it is from another model of
/// the same checkpoint.</summary>
/// <param name="Tokens">Tokens that were foretold.</param>
/// <param name="Perplexity">e to the mean negative logarithm of the probability that each of them was given; lower is better.</param>
/// <param name="Divergence">Mean Kullback-Leibler divergence from the reference's distribution, nats; null for the reference.</param>
/// <param name="TopPercent">Positions at which both prefer the same token, percent; null for the reference.</param>
public sealed record TextQuality(int Tokens, double Perplexity, double? Divergence, double? TopPercent)
{
    /// <summary>Tokens that a call computes. Each window begins anew, so that no cache has to hold a long text.</summary>
    public const int Window = 256;

    /// <summary>Parts of a text that are computed one by one.</summary>
    public static int[][] Windows(IReadOnlyList<int> tokens, ModelFolder folder) =>
        [.. tokens.Chunk(Math.Min(Window, folder.ContextLength - 1)).Where(part => part.Length > 1)];

    /// <summary>Computes a text.</summary>
    /// <param name="side">The model; <c>ort</c> computes it.</param>
    /// <param name="windows">The text in parts.</param>
    /// <param name="logits">File of the reference's logits: the reference writes it, the others read it.</param>
    /// <param name="isReference">Whether this is the reference.</param>
    /// <param name="onWindow">Told of each part.</param>
    /// <exception cref="EngineException">The model cannot be computed, or gives NaN.</exception>
    public static TextQuality Of(VerifiedSide side, int[][] windows, Stream logits, bool isReference, Action? onWindow = null)
    {
        if (side.Kind.Availability(side.Options.Provider) is { IsAvailable: false } missing)
        {
            throw new EngineException(missing.Reason!);
        }

        logits.Position = 0;
        int longest = windows.Max(window => window.Length);
        using GraphProbe probe = new(side.Folder, side.Options, longest + 1, AllLogitsGraph.Create(side.Folder), []);
        int vocabulary = side.Folder.VocabularySize;
        float[] expected = new float[vocabulary];
        (double loss, double divergence, int same, int tokens) = (0, 0, 0, 0);
        foreach (int[] window in windows)
        {
            float[] rows = probe.Compute(window, past: 0)[side.Folder.Names.Logits];
            for (int i = 0; i + 1 < window.Length; i++, tokens++)
            {
                ReadOnlySpan<float> row = rows.AsSpan(i * vocabulary, vocabulary);
                if (!LogitsDifference.AreFinite(row))
                {
                    throw new EngineException($"{side.Name} gives NaN or infinite logits");
                }

                loss += LogitsDifference.LogSum(row) - row[window[i + 1]];
                if (isReference)
                {
                    logits.Write(MemoryMarshal.AsBytes(row));
                    continue;
                }

                logits.ReadExactly(MemoryMarshal.AsBytes(expected.AsSpan()));
                divergence += LogitsDifference.Between(expected, row).Divergence;
                same +=
                    System.Numerics.Tensors.TensorPrimitives.IndexOfMax<float>(expected)
                    == System.Numerics.Tensors.TensorPrimitives.IndexOfMax(row)
                        ? 1
                        : 0;
            }

            onWindow?.Invoke();
        }

        return new TextQuality(
            tokens,
            Math.Exp(loss / tokens),
            isReference ? null : divergence / tokens,
            isReference ? null : 100.0 * same / tokens
        );
    }
}
