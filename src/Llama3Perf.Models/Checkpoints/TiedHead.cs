using System.Runtime.InteropServices;
using Llama3Perf.Models.Llama;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>
/// What a config.json that ties the LM head to the embedding means for the tensors that are stored, as transformers reads it: the tie
/// holds where only one of both is there or both are equal; where they differ, the stored head counts.
/// </summary>
internal static class TiedHead
{
    private const int BlockBytes = 1 << 20;

    /// <summary>The shape and the tensors after the tie is settled, and a sentence where the config.json was not followed.</summary>
    /// <param name="shape">As config.json says.</param>
    /// <param name="found">Every stored tensor by its name; a lone head also becomes the embedding.</param>
    /// <exception cref="IOException">The weights cannot be read.</exception>
    public static (LlamaShape Shape, string? Warning) Settle(LlamaShape shape, Dictionary<string, CheckpointTensor> found)
    {
        if (!shape.TieEmbeddings || !found.TryGetValue(LlamaTensors.Head, out CheckpointTensor? head))
        {
            return (shape, null);
        }

        if (!found.TryGetValue(LlamaTensors.Embedding, out CheckpointTensor? embedding))
        {
            found.Add(LlamaTensors.Embedding, head);
            found.Remove(LlamaTensors.Head);
            return (shape, null);
        }

        if (!head.Shape.SequenceEqual(embedding.Shape))
        {
            return (shape, null);
        }

        if (FirstDifference(head, embedding) is not { } element)
        {
            found.Remove(LlamaTensors.Head);
            return (shape, null);
        }

        return (
            shape with
            {
                TieEmbeddings = false,
            },
            $"config.json ties the LM head to the embedding, but the stored {LlamaTensors.Head} differs from it (first in row "
                + $"{element / head.Shape[^1]}): it is used, untied, as transformers does"
        );
    }

    private static long? FirstDifference(CheckpointTensor a, CheckpointTensor b)
    {
        using SafeFileHandle fileA = File.OpenHandle(a.File);
        using SafeFileHandle fileB = File.OpenHandle(b.File);
        int sizeA = SafetensorsEntry.Size(a.Type);
        int sizeB = SafetensorsEntry.Size(b.Type);
        int count = BlockBytes / sizeof(float);
        byte[] bytesA = new byte[count * sizeA];
        byte[] bytesB = new byte[count * sizeB];
        float[] widened = new float[2 * count];
        long elements = a.Length / sizeA;
        for (long first = 0; first < elements; first += count)
        {
            int n = (int)Math.Min(count, elements - first);
            SafetensorsFile.ReadAll(fileA, bytesA.AsSpan(0, n * sizeA), a.Offset + (first * sizeA));
            SafetensorsFile.ReadAll(fileB, bytesB.AsSpan(0, n * sizeB), b.Offset + (first * sizeB));
            if (a.Type == b.Type && bytesA.AsSpan(0, n * sizeA).SequenceEqual(bytesB.AsSpan(0, n * sizeB)))
            {
                continue;
            }

            SourceRow.Widen(bytesA.AsSpan(0, n * sizeA), a.Type, widened.AsSpan(0, n));
            SourceRow.Widen(bytesB.AsSpan(0, n * sizeB), b.Type, widened.AsSpan(count, n));
            int same = MemoryMarshal
                .Cast<float, uint>(widened.AsSpan(0, n))
                .CommonPrefixLength(MemoryMarshal.Cast<float, uint>(widened.AsSpan(count, n)));
            if (same < n)
            {
                return first + same;
            }
        }

        return null;
    }
}
