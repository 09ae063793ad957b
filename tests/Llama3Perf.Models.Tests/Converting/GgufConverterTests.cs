using System.Text.Json.Nodes;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Converting;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;

namespace Llama3Perf.Models.Tests.Converting;

/// <summary>GGUF folders of ONNX folders: what stands in them, that they are whole or not there, and what is refused.</summary>
public sealed class GgufConverterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Precision.Fp32, 32, true, "f32")]
    [InlineData(Precision.Fp16, 32, true, "f16")]
    [InlineData(Precision.Int8, 32, true, "q8_0")]
    [InlineData(Precision.Int4, 128, true, "q4_0")]
    [InlineData(Precision.Int4, 32, false, "q4_1")]
    public void A_file_says_what_it_holds(Precision precision, int block, bool symmetric, string type)
    {
        ModelFolder source = Build(precision, block, symmetric);
        ModelFolder gguf = Convert(source);
        var file = GgufFile.Open(gguf.GraphPath);

        Assert.Equal(
            (source.Name, precision, source.BlockSize, true, ModelFormat.Gguf),
            (gguf.Name, gguf.Precision, gguf.BlockSize, gguf.IsSynthetic, gguf.Format)
        );
        Assert.Equal(
            (source.HiddenSize, source.LayerCount, source.HeadCount, source.KeyValueHeadCount, source.HeadSize, source.ContextLength),
            (gguf.HiddenSize, gguf.LayerCount, gguf.HeadCount, gguf.KeyValueHeadCount, gguf.HeadSize, gguf.ContextLength)
        );
        Assert.Equal(source.EosTokenIds, gguf.EosTokenIds);
        Assert.Equal(source.BosTokenId, gguf.BosTokenId);
        Assert.Equal(type, file.Tensors.Single(tensor => tensor.Name == "blk.0.ffn_up.weight").Type.Name);
        Assert.Equal("llama-bpe", file.Text("tokenizer.ggml.pre"));
        Assert.Equal(source.VocabularySize, file.Arrays["tokenizer.ggml.tokens"]);
        Assert.Equal(gguf.GraphPath, ModelFolderReader.Open(gguf.GraphPath).Path);
    }

    [Fact]
    public void The_same_folder_is_converted_once_and_to_the_same_bytes()
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        ModelFolder first = Convert(source);
        DateTime written = File.GetLastWriteTimeUtc(first.GraphPath);
        string other = Path.Combine(_folder.Path, "other");

        Assert.Equal(first.Path, Convert(source).Path);
        Assert.Equal(written, File.GetLastWriteTimeUtc(first.GraphPath));
        Assert.Equal(
            File.ReadAllBytes(first.GraphPath),
            File.ReadAllBytes(GgufConverter.Convert(source, other, cancellationToken: TestContext.Current.CancellationToken).GraphPath)
        );
        Assert.NotEqual(Sha256(source), Sha256(first));
    }

    [Fact]
    public void Another_tokenizer_is_another_file()
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        string first = Convert(source).Path;
        File.AppendAllText(Path.Combine(source.Path, "chat_template.jinja"), " ");

        Assert.NotEqual(first, Convert(source).Path);
    }

    [Fact]
    public void Rounded_scales_are_counted()
    {
        var report = ConversionReport.Read(Convert(Build(Precision.Int4, 32, symmetric: true)).Path)!;

        Assert.InRange(report.RoundedScales, 1, report.Scales);
        Assert.Null(report.Warning);
    }

    [Fact]
    public void Cancelled_leaves_nothing_behind()
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        string target = Path.Combine(_folder.Path, "target");
        using CancellationTokenSource cancellation = new();
        cancellation.Cancel();

        Assert.ThrowsAny<OperationCanceledException>(() => GgufConverter.Convert(source, target, progress: null, cancellation.Token));
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(_folder.Path),
            path => path.Contains("target", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(Precision.Int4, 16, true, "quantization blocks of 16")]
    [InlineData(Precision.Int8, 32, false, "zero points")]
    public void What_gguf_cannot_hold_is_refused(Precision precision, int block, bool symmetric, string reason) =>
        Assert.Contains(reason, Refusal(Build(precision, block, symmetric)), StringComparison.Ordinal);

    [Fact]
    public void A_folder_of_others_is_refused()
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        File.Delete(Path.Combine(source.Path, "llama3perf.json"));

        Assert.Contains("has no llama3perf.json", Refusal(source), StringComparison.Ordinal);
    }

    [Fact]
    public void Scales_that_float16_does_not_hold_are_refused()
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        string data = Path.Combine(source.Path, "model.onnx.data");
        byte[] bytes = File.ReadAllBytes(data);

        // All of it: among the rest are the scales.
        for (int i = 0; i + 4 <= bytes.Length; i += 4)
        {
            BitConverter.TryWriteBytes(bytes.AsSpan(i), 1e6f);
        }

        File.WriteAllBytes(data, bytes);
        Assert.Contains("beyond float16's range", Refusal(source), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("normalizer", """{"type": "NFC"}""", "normalizer")]
    [InlineData("pre_tokenizer", """{"type": "Whitespace"}""", "is none of llama-bpe")]
    [InlineData("model", """{"type": "WordPiece", "vocab": {}, "merges": []}""", "no byte-level BPE")]
    [InlineData("added_tokens", """[{"id": 100000, "content": "x", "special": true}]""", "has the id 100000")]
    public void A_tokenizer_that_llama_cpp_reads_otherwise_is_refused(string part, string json, string reason)
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        string file = Path.Combine(source.Path, "tokenizer.json");
        JsonNode tokenizer = JsonNode.Parse(File.ReadAllText(file))!;
        tokenizer[part] = JsonNode.Parse(json);
        File.WriteAllText(file, tokenizer.ToJsonString());

        Assert.Contains(reason, Refusal(source), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gpt-2", """{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}""")]
    [InlineData(
        "qwen2",
        """
            {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
                    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
                {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}
            ]}
            """
    )]
    public void A_pre_tokenizer_is_written_under_llama_cpps_name_for_it(string name, string json)
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        string file = Path.Combine(source.Path, "tokenizer.json");
        JsonNode tokenizer = JsonNode.Parse(File.ReadAllText(file))!;
        tokenizer["pre_tokenizer"] = JsonNode.Parse(json);
        tokenizer["model"]!["ignore_merges"] = false;
        File.WriteAllText(file, tokenizer.ToJsonString());

        Assert.Equal(name, GgufFile.Open(Convert(source).GraphPath).Text("tokenizer.ggml.pre"));
    }

    [Fact]
    public void Rows_of_the_embedding_without_a_token_are_filled()
    {
        ModelFolder source = Build(Precision.Int4, 32, symmetric: true);
        string file = Path.Combine(source.Path, "tokenizer.json");
        JsonNode tokenizer = JsonNode.Parse(File.ReadAllText(file))!;
        JsonArray added = tokenizer["added_tokens"]!.AsArray();
        added.RemoveAt(added.Count - 1);
        File.WriteAllText(file, tokenizer.ToJsonString());

        Assert.Equal(source.VocabularySize, GgufFile.Open(Convert(source).GraphPath).Arrays["tokenizer.ggml.tokens"]);
    }

    private static string Sha256(ModelFolder folder) =>
        ModelFingerprint.Compute(folder, cancellationToken: TestContext.Current.CancellationToken);

    private string Refusal(ModelFolder source)
    {
        string message = Assert.Throws<ModelException>(() => Convert(source)).Message;
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(Path.Combine(_folder.Path, "store")),
            path => path.EndsWith(".building", StringComparison.Ordinal) || path.Contains("-gguf-", StringComparison.Ordinal)
        );
        return message;
    }

    private ModelStore Store => new(Directory.CreateDirectory(Path.Combine(_folder.Path, "store")).FullName);

    private ModelFolder Convert(ModelFolder source) => Store.ConvertToGguf(source);

    private ModelFolder Build(Precision precision, int block, bool symmetric) =>
        Store.GetOrBuild(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = precision,
                BlockSize = block,
                Symmetric = symmetric,
            }
        );
}
