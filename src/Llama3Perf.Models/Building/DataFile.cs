using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Llama3Perf.Models.Weights;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Building;

/// <summary>Writes the external data file: chunks in file order, filled and written by all threads.</summary>
internal static class DataFile
{
    /// <summary>Writes all tensors. The bytes do not depend on <paramref name="threads"/>.</summary>
    /// <exception cref="IOException">The file cannot be created, or the disk is full.</exception>
    public static void Write(
        string path, DataLayout layout, ulong seed, int threads, Action<long> onBytes, CancellationToken cancellationToken) =>
        Write(path, layout.Tensors, layout.Length, seed, threads, onBytes, cancellationToken);

    /// <summary>Writes tensors into a new file of <paramref name="length"/> bytes; what lies between them is zero.</summary>
    /// <exception cref="IOException">The file cannot be created, or the disk is full.</exception>
    public static void Write(
        string path, IReadOnlyList<ExternalTensor> tensors, long length, ulong seed, int threads, Action<long> onBytes, CancellationToken cancellationToken)
    {
        // Allocating all of it first keeps the file in one piece and reports a full disk before the work.
        using SafeFileHandle file = File.OpenHandle(
            path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, length);
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
        try
        {
            Parallel.ForEach(
                Partitioner.Create(Chunks(tensors), EnumerablePartitionerOptions.NoBuffering),
                options,
                () => GC.AllocateUninitializedArray<byte>((int)Math.Min(SyntheticWeights.ChunkBytes, length)),
                (chunk, _, buffer) =>
                {
                    Span<byte> bytes = buffer.AsSpan(0, chunk.Length);
                    chunk.Tensor.Fill(bytes, chunk.Start, SyntheticWeights.ChunkSeed(seed, chunk.Tensor.Name, chunk.Index));
                    RandomAccess.Write(file, bytes, chunk.Tensor.Offset + chunk.Start);
                    onBytes(chunk.Length);
                    return buffer;
                },
                _ => { });
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }

    private static IEnumerable<Chunk> Chunks(IReadOnlyList<ExternalTensor> tensors)
    {
        foreach (ExternalTensor tensor in tensors)
        {
            int index = 0;
            for (long start = 0; start < tensor.Length; start += SyntheticWeights.ChunkBytes)
            {
                yield return new Chunk(tensor, index++, start, (int)Math.Min(SyntheticWeights.ChunkBytes, tensor.Length - start));
            }
        }
    }

    private sealed record Chunk(ExternalTensor Tensor, int Index, long Start, int Length);
}
