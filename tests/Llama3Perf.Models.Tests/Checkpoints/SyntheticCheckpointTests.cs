using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Tests.Checkpoints;

public sealed class SyntheticCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(CheckpointType.BFloat16, false, long.MaxValue)]
    [InlineData(CheckpointType.Float16, true, 20_000)]
    [InlineData(CheckpointType.Float32, false, 1)]
    public void What_is_written_opens_as_the_same_shape(CheckpointType type, bool biased, long shardBytes)
    {
        LlamaShape shape = CheckpointBuilder.Small with { AttentionBias = biased, MlpBias = biased, TieEmbeddings = biased };
        using var written = new CheckpointBuilder(shape, type, shardBytes);
        var checkpoint = Checkpoint.Open(written.Folder);

        Assert.Equal(shape with { Name = "checkpoint", BosTokenId = 256, EosTokenIds = checkpoint.Shape.EosTokenIds }, checkpoint.Shape);
        Assert.Equal([257, 264, 265], checkpoint.Shape.EosTokenIds);
        Assert.All(checkpoint.Tensors.Values, tensor => Assert.Equal(type, tensor.Type));
        Assert.Equal(
            shardBytes == 1 ? checkpoint.Tensors.Count
                : shardBytes > 1_000_000 ? 1
                : checkpoint.WeightFiles.Count,
            checkpoint.WeightFiles.Count
        );
        Assert.Equal(biased, checkpoint.Tensors.ContainsKey("model.layers.1.self_attn.o_proj.bias"));
        Assert.Equal(
            (string[])["chat_template.jinja", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"],
            Directory
                .EnumerateFiles(written.Folder)
                .Select(Path.GetFileName)
                .Where(name => !name!.StartsWith("model", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );
        Assert.Equal(["checkpoint"], Directory.EnumerateFileSystemEntries(written.Beside("")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(CheckpointType.BFloat16)]
    [InlineData(CheckpointType.Float16)]
    [InlineData(CheckpointType.Float32)]
    public void Values_have_the_scale_that_keeps_a_product_level(CheckpointType type)
    {
        using var written = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = false }, type);
        var checkpoint = Checkpoint.Open(written.Folder);

        double[] weights = Values(checkpoint.Tensors["model.embed_tokens.weight"]);
        double rms = Math.Sqrt(weights.Average(w => w * w));
        Assert.InRange(rms * Math.Sqrt(32), 0.97, 1.03);
        Assert.InRange(Math.Abs(weights.Average()) / rms, 0, 0.05);
        Assert.All(Values(checkpoint.Tensors["model.norm.weight"]), w => Assert.InRange(w, 1, 1.25));
    }

    [Fact]
    public void Bytes_depend_on_the_seed_and_not_on_threads_or_shards()
    {
        // The matrices of the embedding take several chunks of 4 MB.
        LlamaShape shape = CheckpointBuilder.Small with
        {
            VocabularySize = 80_000,
            HiddenSize = 64,
        };
        (ulong Seed, int Threads, long Shard)[] runs =
        [
            (1, 1, long.MaxValue),
            (1, 7, long.MaxValue),
            (2, 2, long.MaxValue),
            (1, 2, 30_000),
        ];
        string[] hashes = [.. runs.Select((run, i) => Write(i, run.Seed, run.Threads, run.Shard))];

        Assert.Equal(hashes[0], hashes[1]);
        Assert.NotEqual(hashes[0], hashes[2]);
        Assert.Equal(hashes[0], hashes[3]);

        string Write(int number, ulong seed, int threads, long shard)
        {
            SyntheticCheckpoint.Write(shape, _root[$"{number}"], CheckpointType.BFloat16, shard, seed, threads, cancellationToken: Token);
            var checkpoint = Checkpoint.Open(_root[$"{number}"]);
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (CheckpointTensor tensor in checkpoint.Tensors.Values.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
            {
                hash.AppendData(Bytes(tensor));
            }

            return Convert.ToHexString(hash.GetHashAndReset());
        }
    }

    [Fact]
    public void A_folder_that_holds_something_is_left_alone()
    {
        Directory.CreateDirectory(_root["full"]);
        File.WriteAllText(Path.Combine(_root["full"], "mine"), "mine");
        string message = Assert.Throws<ModelException>(() => Write(_root["full"], Token)).Message;

        Assert.Contains("holds something already", message);
        Assert.True(File.Exists(Path.Combine(_root["full"], "mine")));
    }

    [Fact]
    public void Cancelling_leaves_nothing()
    {
        using var source = new CancellationTokenSource();
        var progress = new Cancel(source);

        Assert.ThrowsAny<OperationCanceledException>(() =>
            SyntheticCheckpoint.Write(CheckpointBuilder.Small, _root["c"], CheckpointType.Float32, 1, 1, 1, progress, source.Token)
        );
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Path));
    }

    private static void Write(string folder, CancellationToken token) =>
        SyntheticCheckpoint.Write(CheckpointBuilder.Small, folder, CheckpointType.BFloat16, long.MaxValue, 1, 1, cancellationToken: token);

    private static byte[] Bytes(CheckpointTensor tensor)
    {
        byte[] bytes = new byte[tensor.Length];
        using FileStream file = File.OpenRead(tensor.File);
        file.Position = tensor.Offset;
        file.ReadExactly(bytes);
        return bytes;
    }

    private static double[] Values(CheckpointTensor tensor)
    {
        byte[] bytes = Bytes(tensor);
        return tensor.Type switch
        {
            CheckpointType.Float32 => [.. MemoryMarshal.Cast<byte, float>(bytes).ToArray().Select(value => (double)value)],
            CheckpointType.Float16 => [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(value => (double)value)],
            _ =>
            [
                .. MemoryMarshal
                    .Cast<byte, ushort>(bytes)
                    .ToArray()
                    .Select(value => (double)BitConverter.UInt32BitsToSingle((uint)value << 16)),
            ],
        };
    }

    private sealed class Cancel(CancellationTokenSource source) : IProgress<BuildProgress>
    {
        public void Report(BuildProgress value) => source.Cancel();
    }
}
