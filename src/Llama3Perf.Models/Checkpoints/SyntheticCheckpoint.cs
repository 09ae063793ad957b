using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Tokenizer;
using Llama3Perf.Models.Weights;
using Microsoft.Win32.SafeHandles;

namespace Llama3Perf.Models.Checkpoints;

/// <summary>Writes complete Hugging Face checkpoint folders with random weights, of any size, to try out what reads checkpoints.</summary>
public static class SyntheticCheckpoint
{
    /// <summary>
    /// Writes configuration, tokenizer files and weights: one <c>model.safetensors</c>, or shards with an index. Equal arguments give
    /// equal bytes, whatever the number of threads. Whatever ends it early leaves nothing behind.
    /// </summary>
    /// <param name="shape">The dimensions; token ids are the tokenizer's.</param>
    /// <param name="folder">The folder, which must be absent or empty; its parents are created.</param>
    /// <param name="type">Type of all weights.</param>
    /// <param name="shardBytes">Largest size of a file's data; a larger tensor has a file of its own.</param>
    /// <param name="seed">Seed of the weights.</param>
    /// <param name="threads">Threads that fill and write.</param>
    /// <param name="progress">Told the bytes of weights written so far.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    /// <exception cref="ModelException">A vocabulary that is too small, a folder that holds something, no space, no permission.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static void Write(
        LlamaShape shape,
        string folder,
        CheckpointType type,
        long shardBytes,
        ulong seed,
        int threads,
        IProgress<BuildProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        IReadOnlyList<PlannedShard> shards = SafetensorsPlan.Create(Tensors(shape, type), shardBytes);
        try
        {
            using var directory = BuildDirectory.Acquire(folder, cancellationToken);
            if (Directory.Exists(directory.Target) && Directory.EnumerateFileSystemEntries(directory.Target).Any())
            {
                throw new ModelException($"'{folder}' holds something already. Delete it or name another folder.");
            }

            directory.Begin();
            new BuildMachine().RequireSpace(directory.Target, shards.Sum(shard => shard.Length), "checkpoint");
            WriteSmallFiles(shape, directory.Temporary, type, shards);
            WriteWeights(shards, directory.Temporary, seed, threads, progress, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            directory.Commit();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ModelException($"No permission to write the checkpoint '{folder}'. Choose another place.", e);
        }
        catch (IOException e)
        {
            throw new ModelException($"The checkpoint '{folder}' cannot be written: {Shown.Text(e.Message)}", e);
        }
    }

    private static IEnumerable<PlannedTensor> Tensors(LlamaShape shape, CheckpointType type)
    {
        foreach ((string name, long[] dims) in LlamaTensors.Of(shape))
        {
            yield return new PlannedTensor(name, type, dims, Pattern(shape, type, name, dims));
        }
    }

    private static WeightPattern Pattern(LlamaShape shape, CheckpointType type, string name, long[] dims)
    {
        bool half = type == CheckpointType.Float16;
        if (name.EndsWith("norm.weight", StringComparison.Ordinal))
        {
            return type == CheckpointType.BFloat16 ? WeightPattern.NormBFloat16 : WeightPattern.Norm(half);
        }

        double rms = RandomWeights.Rms(dims[^1], isTiedHead: name == LlamaTensors.Embedding && shape.TieEmbeddings);
        return type == CheckpointType.BFloat16 ? WeightPattern.SignedBFloat16(rms) : WeightPattern.Signed(rms, half);
    }

    private static void WriteSmallFiles(LlamaShape shape, string folder, CheckpointType type, IReadOnlyList<PlannedShard> shards)
    {
        var tokenizer = SyntheticTokenizer.Write(folder, shape.VocabularySize);
        shape = shape with { BosTokenId = tokenizer.BosTokenId, EosTokenIds = tokenizer.EosTokenIds };
        File.WriteAllText(Path.Combine(folder, "config.json"), LlamaConfigText.Config(shape, type.Name()));
        File.WriteAllText(Path.Combine(folder, "generation_config.json"), LlamaConfigText.Generation(shape));
        if (shards.Count > 1)
        {
            File.WriteAllText(Path.Combine(folder, WeightMap.IndexFile), SafetensorsPlan.Index(shards));
        }
    }

    private static void WriteWeights(
        IReadOnlyList<PlannedShard> shards,
        string folder,
        ulong seed,
        int threads,
        IProgress<BuildProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        var counter = new ByteCounter(shards.Sum(shard => shard.Tensors.Sum(tensor => tensor.Length)), progress);
        foreach (PlannedShard shard in shards)
        {
            string path = Path.Combine(folder, shard.FileName);
            DataFile.Write(path, shard.Pieces(seed), shard.Length, threads, counter.Add, cancellationToken);
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
            RandomAccess.Write(file, shard.Header, 0);
        }
    }
}
