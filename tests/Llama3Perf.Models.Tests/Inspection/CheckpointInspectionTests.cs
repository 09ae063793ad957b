using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Tests.Checkpoints;

namespace Llama3Perf.Models.Tests.Inspection;

public sealed class CheckpointInspectionTests
{
    // By the shape alone: 2 layers of 32, MLP 48, 2 heads and 1 of 16, vocabulary 512.
    private const long Layer = (32 * (32 + 16 + 16)) + (32 * 32) + (3 * 32 * 48) + (2 * 32);
    private const long Matrix = 512 * 32;

    [Theory]
    [InlineData(true, CheckpointType.BFloat16, 2)]
    [InlineData(false, CheckpointType.Float16, 2)]
    [InlineData(false, CheckpointType.Float32, 4)]
    public void Numbers_follow_from_the_shape(bool tied, CheckpointType type, int size)
    {
        using CheckpointBuilder checkpoint = new(CheckpointBuilder.Small with { TieEmbeddings = tied }, type, shardBytes: 20_000);

        var inspection = CheckpointInspection.Of(checkpoint.Folder);

        Assert.Equal((2 * Layer) + 32 + ((tied ? 1 : 2) * Matrix), inspection.ParameterCount);
        TypedWeights weights = Assert.Single(inspection.Types);
        Assert.Equal((type, inspection.ParameterCount * size), (weights.Type, weights.Bytes));
        Assert.True(inspection.Shards.Count > 2);
        Assert.Equal(weights.TensorCount, inspection.Shards.Sum(shard => shard.TensorCount));
        Assert.Equal(
            Directory.EnumerateFiles(checkpoint.Folder, "*.safetensors").Sum(file => new FileInfo(file).Length),
            inspection.Shards.Sum(shard => shard.Bytes)
        );
        Assert.Equal("byte-level BPE", inspection.Tokenizer!.Kind);
        Assert.True(inspection.HasChatTemplate);
        Assert.Empty(inspection.Problems);
    }

    [Fact]
    public void Every_flaw_is_named()
    {
        using CheckpointBuilder checkpoint = new(CheckpointBuilder.Small with { TieEmbeddings = false });
        checkpoint.Json(
            "config.json",
            json =>
            {
                json["tie_word_embeddings"] = true;
                json.Remove("bos_token_id");
                json["eos_token_id"] = 5000;
            }
        );
        foreach (string file in (string[])["generation_config.json", "chat_template.jinja", "tokenizer.json"])
        {
            File.Delete(checkpoint[file]);
        }

        checkpoint.Json("tokenizer_config.json", json => json.Remove("chat_template"));
        var inspection = CheckpointInspection.Of(checkpoint.Folder);

        string problems = string.Join('\n', inspection.Problems);
        foreach (
            string part in (string[])
                [
                    "config.json ties the LM head to the embedding, but the stored lm_head.weight differs",
                    "tokenizer.json is missing",
                    "no bos_token_id",
                    "eos_token_id 5000 is outside",
                    "chat_template.jinja is missing",
                ]
        )
        {
            Assert.Contains(part, problems, StringComparison.Ordinal);
        }

        Assert.Null(inspection.Tokenizer);
    }

    [Theory]
    [InlineData(
        """{"model":{"type":"BPE","byte_fallback":true,"vocab":{"a":0}},"added_tokens":[{"id":7,"content":"b"}]}""",
        "SentencePiece-style BPE",
        2,
        1
    )]
    [InlineData("""{"model":{"type":"WordPiece","vocab":{"a":0,"b":4}}}""", "WordPiece", 5, 0)]
    [InlineData("""{"model":{"type":"Unigram","vocab":[["a",-1.5],["b",-2]]},"added_tokens":[{"id":9,"content":"c"}]}""", "Unigram", 3, 1)]
    // Hugging Face does not take ids from the file: after the two of the vocabulary come 2 and 3, and a token that is in it keeps its id.
    [InlineData(
        """{"model":{"vocab":{"a":0,"b":1}},"added_tokens":[{"id":7,"content":"c"},{"id":9,"content":"d"},{"id":5,"content":"a"}]}""",
        "BPE",
        4,
        3
    )]
    public void Other_tokenizers_are_named(string json, string kind, int size, int added)
    {
        using CheckpointBuilder checkpoint = new();
        File.WriteAllText(checkpoint["tokenizer.json"], json);

        Assert.Equal(new TokenizerFacts(kind, size, added), CheckpointInspection.Of(checkpoint.Folder).Tokenizer);
    }

    [Theory]
    [InlineData("""{"weights_beyond_float16":0,"nan_weights":0,"infinite_weights":0}""", null)]
    [InlineData("""{"weights_beyond_float16":3,"nan_weights":0,"infinite_weights":0}""", "3 weights are beyond float16's range")]
    [InlineData("""{"weights_beyond_float16":0,"nan_weights":2,"infinite_weights":1}""", "2 NaN weights were stored as 0, 1 infinite")]
    [InlineData("{}", "conversion.json: weights_beyond_float16 is missing")]
    public void What_a_conversion_could_not_store_is_among_a_folders_problems(string report, string? expected)
    {
        using CheckpointBuilder checkpoint = new();
        string folder = ModelBuilder
            .Build(
                new ModelBuildOptions { Model = checkpoint.Folder, Precision = Precision.Fp16 },
                checkpoint.Beside("model"),
                cancellationToken: TestContext.Current.CancellationToken
            )
            .Path;
        Assert.Empty(FolderInspection.Of(folder).Problems);

        File.WriteAllText(Path.Combine(folder, "conversion.json"), report);

        if (expected is null)
        {
            Assert.Empty(FolderInspection.Of(folder).Problems);
        }
        else
        {
            Assert.Contains(expected, Assert.Single(FolderInspection.Of(folder).Problems), StringComparison.Ordinal);
        }
    }
}
