using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Llama3Perf.Inference.Machine;

/// <summary>
/// How fast this machine reads memory, by a short test: what decoding on the processor is held against, since each token reads all
/// weights once.
/// </summary>
public static class MemoryBandwidth
{
    // Beyond any cache but that of the largest servers; less where memory is short.
    private const long Bytes = 512L << 20;
    private static readonly TimeSpan s_time = TimeSpan.FromMilliseconds(250);

    /// <summary>Reads a large block again and again for a quarter of a second, every core a part of it.</summary>
    /// <param name="threads">Threads that read.</param>
    /// <returns>The best pass in GB/s (1e9 bytes); null where there is no memory to spare.</returns>
    public static double? Read(int threads)
    {
        long bytes = Math.Min(Bytes, (MachineProbe.AvailableMemoryBytes() ?? long.MaxValue) / 4) & ~0xFFFF;
        return bytes < 64 << 20 ? null : Read(threads, bytes, s_time);
    }

    /// <summary>The best of at least two passes over so many bytes.</summary>
    internal static unsafe double Read(int threads, long bytes, TimeSpan time)
    {
        byte* block = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        try
        {
            long part = bytes / threads / sizeof(ulong) * sizeof(ulong);

            // The first touch gives each thread the pages that it reads.
            Parallel(threads, thread => NativeMemory.Fill(block + (thread * part), (nuint)part, (byte)thread));
            double best = 0;
            Stopwatch watch = Stopwatch.StartNew();
            for (int pass = 0; pass < 2 || watch.Elapsed < time; pass++)
            {
                long start = Stopwatch.GetTimestamp();
                Parallel(threads, thread => Sum(new ReadOnlySpan<ulong>(block + (thread * part), (int)(part / sizeof(ulong)))));
                best = Math.Max(best, part * threads / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
            }

            return best;
        }
        finally
        {
            NativeMemory.AlignedFree(block);
        }
    }

    private static void Parallel(int threads, Action<int> work)
    {
        Thread[] others = [.. Enumerable.Range(1, threads - 1).Select(i => new Thread(() => work(i)))];
        foreach (Thread thread in others)
        {
            thread.Start();
        }

        work(0);
        foreach (Thread thread in others)
        {
            thread.Join();
        }
    }

    // Four sums at once, so that adding does not wait for itself.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static ulong Sum(ReadOnlySpan<ulong> numbers)
    {
        ReadOnlySpan<Vector<ulong>> vectors = MemoryMarshal.Cast<ulong, Vector<ulong>>(numbers);
        Vector<ulong> a = default,
            b = default,
            c = default,
            d = default;
        for (int i = 0; i + 3 < vectors.Length; i += 4)
        {
            a += vectors[i];
            b += vectors[i + 1];
            c += vectors[i + 2];
            d += vectors[i + 3];
        }

        return Vector.Sum(a + b + c + d);
    }
}
