using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Weights;

/// <summary>Writes a file of weights: pieces of work in file order, done by all threads.</summary>
internal static class DataFile
{
    /// <summary>Makes a file of <paramref name="length"/> bytes; what no piece writes is zero. The bytes do not depend on
    /// <paramref name="threads"/>.</summary>
    /// <exception cref="IOException">The file cannot be created, or the disk is full.</exception>
    public static void Write(
        string path,
        IEnumerable<Piece> pieces,
        long length,
        int threads,
        Action<long> onBytes,
        CancellationToken cancellationToken
    )
    {
        // Allocating all of it first keeps the file in one piece and reports a full disk before the work.
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, length);
        // Tasks come and go while threads stay: their memory is handed on instead of being allocated anew.
        var idle = new ConcurrentBag<PieceWriter>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
        try
        {
            Parallel.ForEach(
                Partitioner.Create(pieces, EnumerablePartitionerOptions.NoBuffering),
                options,
                () => idle.TryTake(out PieceWriter? writer) ? writer : new PieceWriter(file, onBytes),
                (piece, _, writer) =>
                {
                    piece(writer);
                    return writer;
                },
                idle.Add
            );
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
