using Llama3Perf.Models.Building;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Llama;

namespace Llama3Perf.Models.Tests.Inspection;

public sealed class FolderInspectionTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(Precision.Int4, 32, true, GraphTarget.Cpu, true)]
    [InlineData(Precision.Int4, 64, false, GraphTarget.Cpu, false)]
    [InlineData(Precision.Int4, 128, true, GraphTarget.DirectML, false)]
    [InlineData(Precision.Int8, 32, false, GraphTarget.Cuda, true)]
    [InlineData(Precision.Fp16, 32, true, GraphTarget.WebGpu, true)]
    [InlineData(Precision.Fp32, 32, true, GraphTarget.Cpu, true)]
    [InlineData(Precision.Fp32, 32, true, GraphTarget.DirectML, false)]
    public void Numbers_follow_from_the_shape(Precision precision, int block, bool symmetric, GraphTarget target, bool tied)
    {
        FolderInspection inspection = Build(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = precision,
                BlockSize = block,
                Symmetric = symmetric,
                Target = target,
                TieEmbeddings = tied,
            }
        );

        // By the shape alone: 2 layers of 256, MLP 256, 8 and 2 heads of 32, vocabulary 1024, context 2048.
        const int Hidden = 256,
            Layers = 2,
            Vocabulary = 1024,
            Context = 2048;
        long attention = Layers * ((Hidden * (256 + 64 + 64)) + (256 * Hidden));
        long mlp = Layers * 3 * Hidden * 256;
        long matrix = Hidden * Vocabulary;
        long norms = ((2 * Layers) + 1) * Hidden;
        int number = precision == Precision.Fp32 || (precision != Precision.Fp16 && target == GraphTarget.Cpu) ? 4 : 2;

        Assert.Equal(attention + mlp + norms + (tied ? matrix : 2 * matrix), inspection.ParameterCount);
        Assert.Equal((tied, false, 256), (inspection.IsTied, inspection.HasBiases, inspection.IntermediateSize));
        Assert.Equal(number == 4 ? "fp32" : "fp16", inspection.Activations);
        AssertRow(inspection, WeightClass.Attention, attention, Stored(attention));
        AssertRow(inspection, WeightClass.Mlp, mlp, Stored(mlp));
        AssertRow(inspection, WeightClass.LmHead, matrix, Stored(matrix));
        AssertRow(inspection, WeightClass.Norms, norms, norms * number);
        AssertRow(inspection, WeightClass.Embedding, tied ? 0 : matrix, tied ? 0 : matrix * number);
        AssertRow(inspection, WeightClass.RotaryCaches, 0, 2L * Context * 16 * number);
        long row = tied ? Stored(matrix) / Vocabulary : Hidden * number;
        Assert.Equal(Stored(attention + mlp + matrix) + (norms * number) + row, inspection.WeightBytesPerToken);
        Assert.Equal(2 * Layers * 2 * 32 * number, inspection.CacheBytesPerToken);
        Assert.Equal(2L * Layers * 2 * 32 * number * Context, inspection.CacheBytes);
        Assert.Equal(new FileInfo(Path.Combine(inspection.Folder.Path, "model.onnx.data")).Length, inspection.ExternalBytes);
        Assert.Equal(
            inspection.ExternalBytes - inspection.UnusedBytes,
            inspection.Weights.Where(weights => weights.Class != WeightClass.Other).Sum(weights => weights.Bytes)
        );
        Assert.Empty(inspection.Problems);

        long Stored(long elements)
        {
            int bits = precision == Precision.Int4 ? 4 : 8;
            return precision is Precision.Fp16 or Precision.Fp32
                ? elements * number
                : (elements * bits / 8) + (elements / block * number) + (symmetric ? 0 : elements / block * bits / 8);
        }
    }

    [Theory]
    [InlineData(Precision.Int4, GraphTarget.Cpu, "cpu")]
    [InlineData(Precision.Int4, GraphTarget.Cuda, "cpu cuda")]
    [InlineData(Precision.Int4, GraphTarget.WebGpu, "cpu cuda webgpu")]
    [InlineData(Precision.Int4, GraphTarget.DirectML, "cpu directml")]
    [InlineData(Precision.Fp32, GraphTarget.Cpu, "cpu")]
    [InlineData(Precision.Fp32, GraphTarget.WebGpu, "cpu webgpu")]
    [InlineData(Precision.Fp16, GraphTarget.Cuda, "cpu cuda")]
    [InlineData(Precision.Fp32, GraphTarget.DirectML, "cpu directml")]
    public void Providers_follow_from_family_activations_and_mask(Precision precision, GraphTarget target, string expected)
    {
        FolderInspection inspection = Build(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = precision,
                Target = target,
            }
        );

        Assert.Equal(expected.Split(' ').Order(), inspection.Providers.Where(fit => fit.Suits).Select(fit => fit.Provider.Name()).Order());
        Assert.All(inspection.Providers.Where(fit => !fit.Suits), fit => Assert.NotNull(fit.Reason));
    }

    [Fact]
    public void The_decode_ceiling_is_bandwidth_over_bytes()
    {
        FolderInspection inspection = Build(new ModelBuildOptions { Model = "llama-tiny" }) with
        {
            WeightBytesPerToken = 4_000_000,
            CacheBytesPerToken = 1000,
        };

        Assert.Equal(12_500, inspection.DecodeCeiling(50e9));
        Assert.Equal(10_000, inspection.DecodeCeiling(50e9, depth: 1000));
    }

    // Parameters of the checkpoints: vocabulary, hidden, MLP, q width, KV width, layers as their config.json has them.
    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu", 1024, 256, 704, 256, 64, 3, false)]
    [InlineData("llama3-gqa-bf16", "official-int4-dml", 1024, 256, 704, 256, 64, 3, false)]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml", 1024, 256, 704, 256, 64, 3, false)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu", 768, 128, 448, 256, 64, 4, true)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-dml", 768, 128, 448, 256, 64, 4, true)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml", 768, 128, 448, 256, 64, 4, true)]
    public void Official_folders(
        string fixture,
        string variant,
        int vocabulary,
        int hidden,
        int mlp,
        int query,
        int keyValue,
        int layers,
        bool tied
    )
    {
        var inspection = FolderInspection.Of(Fixtures.Shared(fixture, variant));
        var shape = LlamaShape.Load(Fixtures.Shared(fixture, "hf"));

        long expected =
            (layers * (((long)hidden * (query + (2 * keyValue))) + (query * hidden) + (3L * hidden * mlp) + (2 * hidden)))
            + hidden
            + ((tied ? 1L : 2L) * vocabulary * hidden);
        Assert.Equal(expected, inspection.ParameterCount);
        Assert.Equal(
            (shape.IntermediateSize, shape.TieEmbeddings, "llama"),
            (inspection.IntermediateSize, inspection.IsTied, inspection.Architecture)
        );
        Assert.Equal((mlp, tied), (inspection.IntermediateSize, inspection.IsTied));
        Assert.Equal(tied, inspection.Problems.Any(problem => problem.Contains("second copy", StringComparison.Ordinal)));
        Assert.Equal(variant.EndsWith("cpu", StringComparison.Ordinal) ? "fp32" : "fp16", inspection.Activations);
        Assert.Equal(0, inspection.UnusedBytes);
    }

    // Added up by another program from the lengths in the graphs.
    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu", 1_492_992, 1536)]
    [InlineData("llama3-gqa-bf16", "official-int4-dml", 1_340_416, 768)]
    [InlineData("llama3-gqa-bf16", "official-fp16-dml", 4_755_456, 768)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu", 701_008, 2048)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-dml", 629_064, 1024)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml", 2_230_784, 1024)]
    public void Bytes_that_a_token_reads_of_official_folders(string fixture, string variant, long weights, long cache)
    {
        var inspection = FolderInspection.Of(Fixtures.Shared(fixture, variant));

        Assert.Equal((weights, cache), (inspection.WeightBytesPerToken, inspection.CacheBytesPerToken));
    }

    /// <summary>GatherBlockQuantized, the official form of a tied int4 embedding, is no operator of DirectML.</summary>
    [Theory]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-dml", true)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml", false)]
    [InlineData("llama3-gqa-bf16", "official-int4-dml", false)]
    public void An_official_tied_folder_is_said_to_be_refused_by_genai_on_DirectML(string fixture, string variant, bool refused)
    {
        ProviderFit fit = FolderInspection
            .Of(Fixtures.Shared(fixture, variant))
            .Providers.Single(provider => provider.Provider == GraphTarget.DirectML);

        Assert.True(fit.Suits);
        Assert.Equal(
            refused,
            fit.Reason?.StartsWith("with --engine ort only: it has its embedding in GatherBlockQuantized", StringComparison.Ordinal)
                ?? false
        );
        Assert.Equal(refused, fit.Reason?.Contains("genai captures every graph there", StringComparison.Ordinal) ?? false);
    }

    [Fact]
    public void Every_flaw_is_named()
    {
        string path = Build(new ModelBuildOptions { Model = "llama-tiny" }).Folder.Path;
        File.Delete(Path.Combine(path, "chat_template.jinja"));
        string config = Path.Combine(path, "genai_config.json");
        var model = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(config))!;
        model["model"]!.AsObject().Remove("bos_token_id");
        model["model"]!["eos_token_id"] = 5000;
        model["model"]!["context_length"] = 4096;
        File.WriteAllText(config, model.ToJsonString());
        string tokenizer = Path.Combine(path, "tokenizer.json");
        var tokens = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(tokenizer))!;
        tokens["model"]!["vocab"]!["beyond"] = 5000;
        File.WriteAllText(tokenizer, tokens.ToJsonString());

        string problems = string.Join('\n', FolderInspection.Of(path).Problems);

        foreach (
            string part in (string[])
                [
                    "ids up to 5000",
                    "chat_template.jinja is missing",
                    "no bos_token_id",
                    "eos_token_id 5000",
                    "context of 4096 is longer than the 2048 rows",
                ]
        )
        {
            Assert.Contains(part, problems, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tensors_without_users_and_off_pages_are_named()
    {
        string path = Build(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Fp32 }).Folder.Path;
        string graph = Path.Combine(path, "model.onnx");
        Onnx.ModelProto onnx = Onnx.OnnxFile.Read(graph);
        Onnx.TensorProto head = onnx.Graph.Initializer.Single(tensor => tensor.Name == "lm_head.MatMul.weight");
        Onnx.TensorProto orphan = head.Clone();
        orphan.Name = "orphan";
        head.ExternalData.Single(entry => entry.Key == "offset").Value = "64";
        onnx.Graph.Initializer.Add(orphan);
        File.WriteAllBytes(graph, Google.Protobuf.MessageExtensions.ToByteArray(onnx));

        string problems = string.Join('\n', FolderInspection.Of(path).Problems);

        Assert.Contains("no node uses orphan: 1048576 bytes", problems, StringComparison.Ordinal);
        Assert.Contains("lm_head.MatMul.weight does not start on a page", problems, StringComparison.Ordinal);
    }

    private static void AssertRow(FolderInspection inspection, WeightClass kind, long parameters, long bytes)
    {
        StoredWeights row = Assert.Single(inspection.Weights, weights => weights.Class == kind);
        Assert.Equal((kind, parameters, bytes), (row.Class, row.Parameters, row.Bytes));
    }

    private FolderInspection Build(ModelBuildOptions options) =>
        FolderInspection.Of(ModelBuilder.Build(options, _root["model"], cancellationToken: TestContext.Current.CancellationToken).Path);
}
