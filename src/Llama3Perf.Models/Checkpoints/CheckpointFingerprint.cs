using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using System.Text;
using Llama3Perf.Models.Files;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Equal for checkpoints of equal content, wherever they lie.</summary>
public static class CheckpointFingerprint
{
    private const int PieceBytes = 64 << 20;
    private const int BufferBytes = 1 << 20;

    // What decides the tokens that a model reads and writes, beside its weights.
    private static readonly string[] s_smallFiles =
    [
        "added_tokens.json",
        "chat_template.jinja",
        "chat_template.json",
        "config.json",
        "generation_config.json",
        "merges.txt",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer_config.json",
        "vocab.json",
    ];

    /// <summary>
    /// SHA-256 over names and digests of all files: configuration, tokenizer and weights. A weight file's digest is the SHA-256 of
    /// its length and of the digests of its 64 MB pieces, so that all threads can work on one file.
    /// </summary>
    /// <param name="checkpoint">An open checkpoint.</param>
    /// <param name="cacheFolder">Where digests of weight files are kept by path, length and time of writing; created if needed. Null keeps
    /// none.</param>
    /// <param name="progress">Told the bytes of weights known so far.</param>
    /// <param name="cancellationToken">Ends the work; digests of finished files are kept.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    /// <exception cref="ModelException">A file cannot be read, or changes meanwhile.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static string Compute(
        Checkpoint checkpoint,
        string? cacheFolder = null,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            WeightFileState[] states = [.. checkpoint.WeightFiles.Select(WeightFileState.Read)];
            var counter = new ByteCounter(states.Sum(state => state.Length), progress);
            var cache = new DigestCache(cacheFolder);
            using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (string file in s_smallFiles.Select(name => Path.Combine(checkpoint.Path, name)).Where(File.Exists))
            {
                Append(
                    all,
                    file,
                    Convert.ToHexStringLower(SHA256.HashData(InputFile.ReadBytes(file, InputFile.MaxJsonBytes, "is not JSON")))
                );
            }

            foreach (WeightFileState state in states)
            {
                Append(all, state.Path, Digest(state, cache, counter, cancellationToken));
            }

            return Convert.ToHexStringLower(all.GetHashAndReset());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"The checkpoint '{checkpoint.Path}' cannot be read: {Shown.Text(e.Message)}", e);
        }
    }

    private static void Append(IncrementalHash all, string file, string digest) =>
        all.AppendData(Encoding.UTF8.GetBytes($"{Path.GetFileName(file)}\0{digest}\0"));

    private static string Digest(WeightFileState state, DigestCache cache, ByteCounter counter, CancellationToken cancellationToken)
    {
        if (cache.Find(state) is { } known)
        {
            counter.Add(state.Length);
            return known;
        }

        string digest = Hash(state, counter, cancellationToken);
        if (WeightFileState.Read(state.Path) != state)
        {
            throw new ModelException($"{state.Path} changed while it was read. Wait until it is complete, and try again.");
        }

        cache.Add(state, digest);
        return digest;
    }

    private static string Hash(WeightFileState state, ByteCounter counter, CancellationToken cancellationToken)
    {
        using SafeFileHandle file = File.OpenHandle(state.Path, options: FileOptions.SequentialScan);
        int pieces = (int)((state.Length + PieceBytes - 1) / PieceBytes);
        byte[][] digests = new byte[pieces][];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancellationToken };
        try
        {
            // In file order, so that the disk reads ahead.
            Parallel.ForEach(
                Partitioner.Create(Enumerable.Range(0, pieces), EnumerablePartitionerOptions.NoBuffering),
                options,
                () => GC.AllocateUninitializedArray<byte>(BufferBytes),
                (piece, _, buffer) =>
                {
                    digests[piece] = HashPiece(file, (long)piece * PieceBytes, state.Length, buffer, counter, cancellationToken);
                    return buffer;
                },
                _ => { }
            );
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(state.Length));
        foreach (byte[] digest in digests)
        {
            hash.AppendData(digest);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] HashPiece(
        SafeFileHandle file,
        long start,
        long length,
        byte[] buffer,
        ByteCounter counter,
        CancellationToken cancellationToken
    )
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long end = Math.Min(start + PieceBytes, length);
        while (start < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - start)), start);
            if (read == 0)
            {
                throw new EndOfStreamException("a file became shorter while it was read.");
            }

            hash.AppendData(buffer, 0, read);
            counter.Add(read);
            start += read;
        }

        return hash.GetHashAndReset();
    }
}
