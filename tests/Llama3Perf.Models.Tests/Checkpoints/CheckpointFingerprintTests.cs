using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;

namespace Llama3Perf.Models.Tests.Checkpoints;

public sealed class CheckpointFingerprintTests : IDisposable
{
    private readonly CheckpointBuilder _checkpoint = new(shardBytes: 20_000);

    private string Cache => _checkpoint.Beside("cache");

    public void Dispose() => _checkpoint.Dispose();

    [Fact]
    public void Equal_content_in_another_folder_is_equal()
    {
        string copy = _checkpoint.Beside("copy");
        Directory.CreateDirectory(copy);
        foreach (string file in Directory.EnumerateFiles(_checkpoint.Folder))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        string fingerprint = Compute(_checkpoint.Folder, cache: null);
        Assert.Matches("^[0-9a-f]{64}$", fingerprint);
        Assert.Equal(fingerprint, Compute(copy, cache: null));
        Assert.False(Directory.Exists(Cache));
    }

    [Theory]
    [InlineData("model-00001-*.safetensors")]
    [InlineData("config.json")]
    [InlineData("generation_config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_config.json")]
    [InlineData("chat_template.jinja")]
    public void A_changed_byte_is_another_fingerprint(string pattern)
    {
        string before = Compute(_checkpoint.Folder, cache: null);
        string path = Directory.EnumerateFiles(_checkpoint.Folder, pattern).Single();
        byte[] bytes = File.ReadAllBytes(path);

        // The last byte of a text is a line end or a brace: another space keeps it readable.
        bytes = path.EndsWith(".safetensors", StringComparison.Ordinal) ? [.. bytes[..^1], (byte)(bytes[^1] ^ 1)] : [.. bytes, (byte)' '];
        File.WriteAllBytes(path, bytes);

        Assert.NotEqual(before, Compute(_checkpoint.Folder, cache: null));
    }

    [Fact]
    public void Digests_are_kept_and_used()
    {
        Age();
        string first = Compute(_checkpoint.Folder, Cache);

        Assert.Equal(Checkpoint.Open(_checkpoint.Folder).WeightFiles.Count, Directory.GetFiles(Cache, "*.digest").Length);
        Assert.Equal(Directory.GetFiles(Cache), Directory.GetFiles(Cache, "*.digest"));

        // A change that neither length nor time shows is not seen: the proof that the file was not read.
        FlipLastByteInSecret();
        Assert.Equal(first, Compute(_checkpoint.Folder, Cache));
        Assert.NotEqual(first, Compute(_checkpoint.Folder, cache: null));

        Age(DateTime.UtcNow.AddDays(-1));
        Assert.NotEqual(first, Compute(_checkpoint.Folder, Cache));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData(null)]
    public void Damaged_digests_are_ignored(string? text)
    {
        Age();
        string first = Compute(_checkpoint.Folder, Cache);
        foreach (string file in Directory.GetFiles(Cache))
        {
            string[] lines = File.ReadAllLines(file);
            lines[4] = new string('0', 64);
            File.WriteAllText(file, text ?? string.Join('\n', lines) + "\n");
        }

        Assert.Equal(first, Compute(_checkpoint.Folder, Cache));
    }

    [Fact]
    public void Files_just_written_are_not_kept()
    {
        // As if written this moment and for the length of any test.
        Age(DateTime.UtcNow.AddHours(1));
        Compute(_checkpoint.Folder, Cache);

        Assert.False(Directory.Exists(Cache));
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_none()
    {
        Age();
        File.WriteAllText(Cache, "a file where the folder should be");

        Assert.Equal(Compute(_checkpoint.Folder, cache: null), Compute(_checkpoint.Folder, Cache));
    }

    [Fact]
    public void Progress_ends_at_all_bytes_of_weights_cached_or_not()
    {
        Age();
        var checkpoint = Checkpoint.Open(_checkpoint.Folder);
        long total = checkpoint.WeightFiles.Sum(file => new FileInfo(file).Length);
        for (int run = 0; run < 2; run++)
        {
            var progress = new Last();
            CheckpointFingerprint.Compute(checkpoint, Cache, progress, TestContext.Current.CancellationToken);
            Assert.Equal(new BuildProgress(total, total), progress.Value);
        }
    }

    [Fact]
    public void A_file_that_has_gone_is_a_ModelException()
    {
        var checkpoint = Checkpoint.Open(_checkpoint.Folder);
        File.Delete(checkpoint.WeightFiles[0]);

        Assert.Throws<ModelException>(() => CheckpointFingerprint.Compute(checkpoint, null, null, TestContext.Current.CancellationToken));
    }

    private static string Compute(string folder, string? cache) =>
        CheckpointFingerprint.Compute(Checkpoint.Open(folder), cache, null, TestContext.Current.CancellationToken);

    private void Age(DateTime? time = null)
    {
        foreach (string file in Checkpoint.Open(_checkpoint.Folder).WeightFiles)
        {
            File.SetLastWriteTimeUtc(file, time ?? new DateTime(2024, 4, 18, 0, 0, 0, DateTimeKind.Utc));
        }
    }

    private void FlipLastByteInSecret()
    {
        string file = Checkpoint.Open(_checkpoint.Folder).WeightFiles[0];
        DateTime time = File.GetLastWriteTimeUtc(file);
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        File.SetLastWriteTimeUtc(file, time);
    }

    private sealed class Last : IProgress<BuildProgress>
    {
        public BuildProgress Value { get; private set; }

        public void Report(BuildProgress value) => Value = value;
    }
}
