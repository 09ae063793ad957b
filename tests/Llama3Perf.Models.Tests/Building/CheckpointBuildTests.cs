using System.Text.Json.Nodes;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Checkpoints;
using Llama3Perf.Models.Files;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Tests.Checkpoints;

namespace Llama3Perf.Models.Tests.Building;

public sealed class CheckpointBuildTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_converted_folder_is_reused_until_the_checkpoint_changes()
    {
        using var checkpoint = new CheckpointBuilder();
        var store = new ModelStore(_root["models"]);
        ModelBuildOptions options = Options(checkpoint);
        ModelFolder first = store.GetOrBuild(options, cancellationToken: Token);
        DateTime written = File.GetLastWriteTimeUtc(first.GraphPath);

        Assert.Equal(
            first,
            store.GetOrBuild(options, cancellationToken: Token) with
            {
                EosTokenIds = first.EosTokenIds,
                Needs = first.Needs,
            }
        );
        Assert.Equal(written, File.GetLastWriteTimeUtc(first.GraphPath));
        Assert.NotEqual(first.Path, store.PathOf(options with { Precision = Precision.Fp32 }));
        Assert.NotEqual(first.Path, store.PathOf(options with { Target = GraphTarget.DirectML }));

        checkpoint.SetWeight("model.norm.weight", 3f);
        ModelFolder second = store.GetOrBuild(options, cancellationToken: Token);

        Assert.NotEqual(first.Path, second.Path);
        Assert.NotEqual(
            ModelFingerprint.Compute(first, cancellationToken: Token),
            ModelFingerprint.Compute(second, cancellationToken: Token)
        );
    }

    [Fact]
    public void The_bytes_do_not_depend_on_threads_or_shards()
    {
        using var one = new CheckpointBuilder();
        using var many = new CheckpointBuilder(shardBytes: 4000);
        foreach (Precision precision in (Precision[])[Precision.Fp32, Precision.Fp16, Precision.Int8])
        {
            byte[] expected = Data(one, precision, threads: 1, $"one-{precision}");
            Assert.Equal(expected, Data(many, precision, threads: 4, $"many-{precision}"));
        }
    }

    [Theory]
    [InlineData(float.NaN, "1 NaN and 0 infinite")]
    [InlineData(float.NegativeInfinity, "0 NaN and 1 infinite")]
    public void Weights_that_are_no_numbers_are_counted_and_refused(float value, string counts)
    {
        using var checkpoint = new CheckpointBuilder();
        checkpoint.SetWeight("model.layers.1.mlp.up_proj.weight", value);
        string message = Assert
            .Throws<ModelException>(() => ModelBuilder.Build(Options(checkpoint), _root["m"], cancellationToken: Token))
            .Message;

        Assert.Contains(counts, message);
        Assert.Contains("model.layers.1.mlp.up_proj.weight", message);
        Assert.Contains("--allow-non-finite", message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Path));

        ModelFolder allowed = ModelBuilder.Build(Options(checkpoint) with { AllowNonFinite = true }, _root["m"], cancellationToken: Token);
        Assert.Contains(float.IsNaN(value) ? "1 NaN weights" : "1 infinite ones", ConversionReport.Read(allowed.Path)!.Warning);
    }

    [Fact]
    public void Weights_beyond_float16_are_saturated_and_counted()
    {
        using var checkpoint = new CheckpointBuilder();
        checkpoint.SetWeight("model.layers.0.mlp.up_proj.weight", 1e9f);
        ModelFolder half = ModelBuilder.Build(
            Options(checkpoint) with
            {
                Precision = Precision.Fp16,
            },
            _root["half"],
            cancellationToken: Token
        );
        ModelFolder full = ModelBuilder.Build(
            Options(checkpoint) with
            {
                Precision = Precision.Fp32,
            },
            _root["full"],
            cancellationToken: Token
        );

        Assert.Equal(new ConversionReport(1, 0, 0), ConversionReport.Read(half.Path));
        Assert.Equal(new ConversionReport(0, 0, 0), ConversionReport.Read(full.Path));
        Assert.Null(ConversionReport.Read(full.Path)!.Warning);
    }

    [Fact]
    public void The_tokenizer_comes_along_with_its_special_tokens_and_template()
    {
        using var checkpoint = new CheckpointBuilder();
        File.Delete(checkpoint["chat_template.jinja"]);
        checkpoint.Json("tokenizer_config.json", json => json["chat_template"] = "{{ messages }}");
        checkpoint.Json("generation_config.json", json => json["eos_token_id"] = new JsonArray(5, 6));
        ModelFolder folder = ModelBuilder.Build(Options(checkpoint), _root["m"], cancellationToken: Token);

        Assert.Equal([5, 6], folder.EosTokenIds);
        Assert.Equal("{{ messages }}", File.ReadAllText(Path.Combine(folder.Path, "chat_template.jinja")));
        Assert.Equal(File.ReadAllBytes(checkpoint["tokenizer.json"]), File.ReadAllBytes(Path.Combine(folder.Path, "tokenizer.json")));
    }

    [Theory]
    [InlineData("""[{"name": "tool_use", "template": "a"}, {"name": "default", "template": "b"}]""", "b")]
    [InlineData("""[{"name": "tool_use", "template": "a"}]""", null)]
    [InlineData("\"a\"", "a")]
    [InlineData("7", null)]
    public void The_default_of_named_templates_counts(string templates, string? expected)
    {
        using var checkpoint = new CheckpointBuilder();
        File.Delete(checkpoint["chat_template.jinja"]);
        checkpoint.Json("tokenizer_config.json", json => json["chat_template"] = JsonNode.Parse(templates));

        Assert.Equal(expected, ChatTemplateFile.Read(Path.GetDirectoryName(checkpoint["config.json"])!));
    }

    [Fact]
    public void A_checkpoint_without_tokenizer_json_is_refused_before_anything_is_converted()
    {
        using var checkpoint = new CheckpointBuilder();
        File.Delete(checkpoint["tokenizer.json"]);
        using var source = new CancellationTokenSource();
        var progress = new CancelAtOnce(source);

        Assert.Contains(
            "tokenizer.json is missing",
            Assert.Throws<ModelException>(() => ModelBuilder.Build(Options(checkpoint), _root["m"], progress, source.Token)).Message
        );
        Assert.False(source.IsCancellationRequested);
    }

    [Fact]
    public void A_block_must_divide_every_width()
    {
        using var checkpoint = new CheckpointBuilder();
        string message = Refused(Options(checkpoint) with { BlockSize = 32 });

        Assert.Contains("Block size 32 does not divide intermediate_size 48", message);
        Assert.Contains("Use one of 16", message);
    }

    [Fact]
    public void Embeddings_can_be_untied_but_not_tied()
    {
        using var tied = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = true });
        using var untied = new CheckpointBuilder(CheckpointBuilder.Small with { TieEmbeddings = false });

        Assert.NotNull(ModelBuilder.Build(Options(tied) with { TieEmbeddings = false }, _root["m"], cancellationToken: Token));
        Assert.Contains("cannot be tied", Refused(Options(untied) with { TieEmbeddings = true }));
    }

    [Fact]
    public void Cancelling_leaves_nothing()
    {
        using var checkpoint = new CheckpointBuilder();
        using var source = new CancellationTokenSource();
        var progress = new CancelAtOnce(source);

        Assert.ThrowsAny<OperationCanceledException>(() => ModelBuilder.Build(Options(checkpoint), _root["m"], progress, source.Token));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_root.Path));
    }

    public void Dispose() => _root.Dispose();

    private static ModelBuildOptions Options(CheckpointBuilder checkpoint) =>
        new()
        {
            Model = checkpoint.Folder,
            Precision = Precision.Int4,
            BlockSize = 16,
        };

    private string Refused(ModelBuildOptions options)
    {
        string message = Assert
            .Throws<ModelException>(() => ModelBuilder.Build(options, _root["refused"], cancellationToken: Token))
            .Message;
        Assert.False(Directory.Exists(_root["refused"]));
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private byte[] Data(CheckpointBuilder checkpoint, Precision precision, int threads, string name)
    {
        var plan = BuildPlan.Create(Options(checkpoint) with { Precision = precision });
        ModelFolder folder = ModelBuilder.Build(plan, _root[name], new BuildMachine { Threads = threads }, progress: null, Token);
        return File.ReadAllBytes(Path.Combine(folder.Path, BuildPlan.DataFileName));
    }

    private sealed class CancelAtOnce(CancellationTokenSource source) : IProgress<BuildProgress>
    {
        public void Report(BuildProgress value) => source.Cancel();
    }
}
