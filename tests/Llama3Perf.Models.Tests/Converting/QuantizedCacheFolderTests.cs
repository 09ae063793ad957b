using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Tests.Converting;

/// <summary>Folders with a KV cache of 8 and 4 bits: what stands in them, that they are whole or not there, and what is refused.</summary>
public sealed class QuantizedCacheFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(KeyValueType.Int8, "int8", 8, "Int8", 127f)]
    [InlineData(KeyValueType.Int4, "int4", 4, "Uint8", 7f)]
    public void A_graph_has_scales_and_a_cache_of_integers(KeyValueType type, string name, int bits, string stored, float steps)
    {
        ModelFolder source = Build();
        ModelFolder folder = Quantize(source, type);
        FolderInspection inspection = FolderInspection.Of(folder.Path);
        GraphProto graph = OnnxFile.ReadWhole(folder.GraphPath).Graph;

        Assert.Equal((name, bits), (inspection.Cache, folder.Arithmetic.CacheBits));
        Assert.Empty(inspection.Problems);
        Assert.Equal(FolderInspection.Of(source.Path).CacheBytesPerToken * bits / 32, inspection.CacheBytesPerToken);
        Assert.Equal(
            (source.Name, source.Precision, source.BlockSize, source.IsSynthetic, source.Family, source.WeightBytes - Size(source)),
            (folder.Name, folder.Precision, folder.BlockSize, folder.IsSynthetic, folder.Family, folder.WeightBytes - Size(folder))
        );
        IReadOnlyList<CacheInput> caches = CacheInput.All(graph, folder.Names);
        Assert.Equal(2 * source.LayerCount, caches.Count);
        Assert.All(caches, cache => Assert.Equal((stored, source.HeadSize * bits / 8), (cache.Type.ToString(), cache.Width)));
        foreach (NodeProto node in graph.Node.Where(node => node.OpType == "GroupQueryAttention"))
        {
            Assert.Equal(bits, node.Integer("kv_cache_bit_width"));
            TensorProto scale = graph.Initializer.Single(tensor => tensor.Name == node.Input[12]);
            Assert.Equal([source.KeyValueHeadCount * source.HeadSize], scale.Dims);
            Assert.All(scale.FloatData, value => Assert.Equal(3 / steps, value));
            Assert.Equal(5 / steps, graph.Initializer.Single(tensor => tensor.Name == node.Input[13]).FloatData[0]);
        }

        static long Size(ModelFolder folder) => new FileInfo(folder.GraphPath).Length;
    }

    [Fact]
    public void A_folder_that_is_there_is_not_calibrated_again()
    {
        ModelFolder source = Build();
        ModelFolder first = Quantize(source, KeyValueType.Int8);

        Assert.Equal(
            first.Path,
            Store
                .QuantizeCache(
                    source,
                    "sha",
                    KeyValueType.Int8,
                    "1",
                    () => throw new InvalidOperationException(),
                    cancellationToken: TestContext.Current.CancellationToken
                )
                .Path
        );
        Assert.NotEqual(first.Path, Quantize(source, KeyValueType.Int4).Path);
        Assert.NotEqual(first.Path, Quantize(source, KeyValueType.Int8, calibration: "2").Path);
        Assert.NotEqual(Sha256(first), Sha256(source));
        Assert.NotEqual(Sha256(first), Sha256(Quantize(source, KeyValueType.Int8, calibration: "2")));
    }

    /// <summary>A folder of others has no manifest; all that a model needs comes along, and nothing else.</summary>
    [Fact]
    public void A_folder_of_others_is_taken_with_its_tokenizer_alone()
    {
        ModelFolder source = Build();
        File.Delete(Path.Combine(source.Path, "llama3perf.json"));
        File.WriteAllText(Path.Combine(source.Path, "notes.bin"), "x");
        ModelFolder folder = Quantize(ModelFolderReader.Open(source.Path), KeyValueType.Int8);

        Assert.False(folder.IsSynthetic);
        Assert.Equal(
            [
                "chat_template.jinja",
                "genai_config.json",
                "llama3perf.json",
                "model.onnx",
                "model.onnx.data",
                "tokenizer.json",
                "tokenizer_config.json",
            ],
            Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void What_cannot_be_quantized_is_refused()
    {
        ModelFolder quantized = Quantize(Build(), KeyValueType.Int8);

        Assert.Contains("has a KV cache of integers already", Refusal(quantized), StringComparison.Ordinal);
        Assert.Contains("has no attention that takes scales", Refusal(Build(GraphTarget.DirectML)), StringComparison.Ordinal);
        Assert.Contains(
            "is a GGUF file",
            Refusal(Store.ConvertToGguf(Build(), cancellationToken: TestContext.Current.CancellationToken)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Whatever_ends_it_early_leaves_nothing_behind()
    {
        ModelFolder source = Build();
        using CancellationTokenSource cancellation = new();
        string target = Path.Combine(_folder.Path, "target");

        Assert.ThrowsAny<OperationCanceledException>(() =>
            Store.QuantizeCache(source, "sha", KeyValueType.Int8, "1", Cancel, target, progress: null, cancellation.Token)
        );
        Assert.Throws<ModelException>(() =>
            Store.QuantizeCache(
                source,
                "sha",
                KeyValueType.Int8,
                "1",
                () => throw new ModelException("no"),
                target,
                cancellationToken: TestContext.Current.CancellationToken
            )
        );
        Assert.DoesNotContain(
            Directory.EnumerateFileSystemEntries(_folder.Path),
            path => path.Contains("target", StringComparison.Ordinal)
        );

        CacheScales Cancel()
        {
            cancellation.Cancel();
            return Scales(source);
        }
    }

    /// <summary>Links out of a folder of others are never followed.</summary>
    [Fact]
    public void A_file_that_lies_elsewhere_is_refused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege on Windows");
        ModelFolder source = Build();
        string secret = Path.Combine(_folder.Path, "secret.json");
        File.WriteAllText(secret, "{}");
        File.CreateSymbolicLink(Path.Combine(source.Path, "extra.json"), secret);

        Assert.Contains("outside the folder", Refusal(source), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, GraphTarget.DirectML, null)]
    [InlineData(KeyValueType.Int8, GraphTarget.Cpu, null)]
    [InlineData(KeyValueType.Int4, GraphTarget.Cuda, null)]
    [InlineData(KeyValueType.Int8, GraphTarget.DirectML, "has no KV cache of int8 there")]
    [InlineData(KeyValueType.Int4, GraphTarget.WebGpu, "has no KV cache of int4 there")]
    [InlineData(KeyValueType.F32, GraphTarget.Cpu, null)]
    [InlineData(KeyValueType.F16, GraphTarget.Cpu, "keeps keys and values as the graph computes, here in fp32")]
    public void What_an_engine_cannot_keep_is_said(KeyValueType? type, GraphTarget target, string? reason)
    {
        string? refusal = GraphNeeds.CacheRefusal(type, Build(), "ort", target);

        Assert.Equal(reason is null, refusal is null);
        Assert.Contains(reason ?? "", refusal ?? "", StringComparison.Ordinal);
    }

    private ModelStore Store => new(Directory.CreateDirectory(Path.Combine(_folder.Path, "store")).FullName);

    private static string Sha256(ModelFolder folder) =>
        ModelFingerprint.Compute(folder, cancellationToken: TestContext.Current.CancellationToken);

    private static CacheScales Scales(ModelFolder source)
    {
        int width = source.KeyValueHeadCount * source.HeadSize;
        return new CacheScales(
            [.. Enumerable.Repeat(Enumerable.Repeat(3f, width).ToArray(), source.LayerCount)],
            [.. Enumerable.Repeat(Enumerable.Repeat(5f, width).ToArray(), source.LayerCount)]
        );
    }

    private string Refusal(ModelFolder source) => Assert.Throws<ModelException>(() => Quantize(source, KeyValueType.Int8)).Message;

    private ModelFolder Quantize(ModelFolder source, KeyValueType type, string calibration = "1") =>
        Store.QuantizeCache(
            source,
            "sha",
            type,
            calibration,
            () => Scales(source),
            cancellationToken: TestContext.Current.CancellationToken
        );

    private ModelFolder Build(GraphTarget target = GraphTarget.Cpu) =>
        Store.GetOrBuild(new ModelBuildOptions { Model = "llama-tiny", Target = target });
}
