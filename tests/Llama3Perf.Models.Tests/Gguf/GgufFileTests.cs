using CsCheck;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Models.Tests.Gguf;

/// <summary>The reader gives what was written, and refuses whatever the native loader would trust.</summary>
public sealed class GgufFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read()
    {
        GgufFile file = Open(Bytes());

        Assert.Equal("llama", file.Architecture);
        Assert.Equal(512, file.Required("context_length"));
        Assert.Equal(0.5, file.Values["half"]);
        Assert.Equal(true, file.Values["yes"]);
        Assert.Equal(3, file.Arrays["tokenizer.ggml.tokens"]);
        Assert.Equal(
            [("a.weight", GgufType.Q4, 36L), ("b.weight", GgufType.F32, 8L)],
            file.Tensors.Select(tensor => (tensor.Name, tensor.Type, tensor.Length))
        );
        Assert.All(file.Tensors, tensor => Assert.Equal(0, tensor.Offset % GgufHeader.Alignment));
    }

    [Theory]
    [InlineData(0, 'X', "does not begin with GGUF")]
    [InlineData(4, 1, "of version 1")]
    [InlineData(4, 9, "of version 9")]
    [InlineData(8, 0xFF, "is damaged")]
    [InlineData(15, 0x7F, "tensors")]
    [InlineData(23, 0x7F, "values")]
    public void A_damaged_beginning_is_refused(int place, int value, string reason)
    {
        byte[] bytes = Bytes();
        bytes[place] = (byte)value;

        Assert.Contains(reason, Refusal(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_shorter_file_is_refused()
    {
        byte[] bytes = Bytes();
        GgufTensor last = Open(bytes).Tensors[^1];
        for (int length = 0; length < last.Offset + last.Length; length += 3)
        {
            _ = Refusal(bytes[..length]);
        }
    }

    [Fact]
    public void Any_byte_may_be_another_one_and_the_answer_is_a_file_or_one_line() =>
        Gen.Select(Gen.Int[0, Bytes().Length - 1], Gen.Byte)
            .Sample(
                change =>
                {
                    byte[] bytes = Bytes();
                    bytes[change.Item1] = change.Item2;
                    try
                    {
                        GgufFile file = Open(bytes);
                        return file.Tensors.All(tensor => tensor.Offset + tensor.Length <= file.Length && tensor.Length > 0);
                    }
                    catch (ModelException e)
                    {
                        return !e.Message.Contains('\n', StringComparison.Ordinal);
                    }
                },
                threads: 1 // There is one file.
            );

    [Theory]
    [InlineData("twice", "comes twice")]
    [InlineData("token", "comes twice")]
    [InlineData("types", "token_type")]
    [InlineData("overlap", "its place is")]
    [InlineData("sizes", "impossible sizes")]
    public void What_would_end_the_native_loader_is_refused(string what, string reason)
    {
        using GgufHeader header = new();
        header.Add("general.architecture", "llama");
        if (what == "twice")
        {
            header.Add("general.architecture", "llama");
        }

        header.Add("tokenizer.ggml.tokens", what == "token" ? ["a", "a"] : ["a", "b"]);
        header.Add("tokenizer.ggml.token_type", what == "types" ? [1] : [1, 1]);
        GgufTensor first = new("a", GgufType.Q4, what == "sizes" ? [33, 1] : [32, 1], 0, 18);
        GgufTensor second = new("b", GgufType.F32, [2], what == "overlap" ? 0 : 32, 8);
        byte[] bytes = [.. header.ToArray([first, second]), .. new byte[64]];

        Assert.Contains(reason, Refusal(bytes), StringComparison.Ordinal);
    }

    private static byte[] Bytes()
    {
        using GgufHeader header = new();
        header.Add("general.architecture", "llama");
        header.Add("llama.context_length", 512u);
        header.Add("half", 0.5f);
        header.Add("yes", true);
        header.Add("tokenizer.ggml.tokens", ["a", "b", "ä"]);
        header.Add("tokenizer.ggml.token_type", [1, 1, 3]);
        GgufTensor[] tensors = [new("a.weight", GgufType.Q4, [32, 2], 0, 36), new("b.weight", GgufType.F32, [2], 64, 8)];
        return [.. header.ToArray(tensors), .. new byte[96]];
    }

    private GgufFile Open(byte[] bytes)
    {
        string path = Path.Combine(_folder.Path, "a.gguf");
        File.WriteAllBytes(path, bytes);
        return GgufFile.Open(path);
    }

    private string Refusal(byte[] bytes) => Assert.Throws<ModelException>(() => Open(bytes)).Message;
}
