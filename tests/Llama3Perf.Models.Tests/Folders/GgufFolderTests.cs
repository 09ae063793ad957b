using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Models.Tests.Folders;

/// <summary>What a GGUF file says of its model is possible: llama.cpp ends the process over some of what is not.</summary>
public sealed class GgufFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("block_count", 512, null)]
    [InlineData("block_count", 513, "a layer count of 513 is not possible")]
    [InlineData("attention.value_length", 8, null)]
    [InlineData("attention.value_length", 4, "keys of its heads are 8 wide, their values 4")]
    [InlineData("attention.value_length", 0, "expected a whole number")]
    [InlineData("attention.head_count", 0, "expected a whole number")]
    [InlineData("attention.head_count_kv", 5, "a count of key-value heads of 5 is not possible")]
    [InlineData("attention.head_count_kv", 1u << 28, "a count of key-value heads of 268435456 is not possible")]
    [InlineData("attention.key_length", 1u << 28, "a head size of 268435456 is not possible")]
    public void Impossible_sizes_are_refused(string key, uint value, string? reason)
    {
        string file = Write(key, value);

        if (reason is null)
        {
            Assert.Equal(8, ModelFolderReader.Open(file).HeadSize);
            return;
        }

        Assert.Contains(reason, Assert.Throws<ModelException>(() => ModelFolderReader.Open(file)).Message, StringComparison.Ordinal);
    }

    private string Write(string changed, uint value)
    {
        Dictionary<string, uint> keys = new()
        {
            ["context_length"] = 64,
            ["embedding_length"] = 32,
            ["feed_forward_length"] = 32,
            ["block_count"] = 1,
            ["attention.head_count"] = 4,
            ["attention.value_length"] = 8,
            [changed] = value,
        };
        using GgufHeader header = new();
        header.Add("general.architecture", "llama");
        foreach ((string key, uint number) in keys)
        {
            header.Add($"llama.{key}", number);
        }

        GgufTensor[] tensors =
        [
            new("token_embd.weight", GgufType.F32, [32, 2], 0, 256),
            new("blk.0.attn_q.weight", GgufType.F32, [32, 32], 256, 4096),
        ];
        string file = Path.Combine(_folder.Path, "a.gguf");
        File.WriteAllBytes(file, [.. header.ToArray(tensors), .. new byte[256 + 4096]]);
        return file;
    }
}
