using System.Text.Json.Nodes;
using Llama3Perf.Models.Building;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Onnx;
using Llama3Perf.Models.Tokenizer;
using Llama3Perf.Models.Weights;

namespace Llama3Perf.Models.Tests.Llama;

/// <summary>Our graph of a checkpoint's config.json against the one that ONNX Runtime GenAI's builder made of it.</summary>
public sealed class OfficialGraphTests
{
    public static TheoryData<string, string, Precision, GraphTarget> Variants()
    {
        var data = new TheoryData<string, string, Precision, GraphTarget>();
        foreach (string fixture in (string[])["llama3-gqa-bf16", "llama32-tied-ropescaled-sharded"])
        {
            data.Add(fixture, "official-int4-cpu", Precision.Int4, GraphTarget.Cpu);
            data.Add(fixture, "official-int4-dml", Precision.Int4, GraphTarget.DirectML);
            data.Add(fixture, "official-fp16-dml", Precision.Fp16, GraphTarget.DirectML);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Nodes_are_the_same_but_for_the_tied_embedding(string fixture, string variant, Precision precision, GraphTarget target)
    {
        (GraphProto ours, GraphProto official) = Graphs(fixture, variant, precision, target);

        Assert.Equal(Nodes(official), Nodes(ours));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Operators_of_each_layer_are_the_same(string fixture, string variant, Precision precision, GraphTarget target)
    {
        (GraphProto ours, GraphProto official) = Graphs(fixture, variant, precision, target);
        int layers = official.Node.Count(node => node.OpType == "GroupQueryAttention");

        for (int layer = 0; layer < layers; layer++)
        {
            string path = $"/model/layers.{layer}/";
            Assert.Equal(Operators(official, path), Operators(ours, path));
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Weights_have_the_same_names_types_and_shapes(string fixture, string variant, Precision precision, GraphTarget target)
    {
        (GraphProto ours, GraphProto official) = Graphs(fixture, variant, precision, target);
        bool hasNoTable = target == GraphTarget.DirectML && official.Node.Any(node => node.OpType == "GatherBlockQuantized");

        Assert.Equal(
            Tensors(official),
            Tensors(ours)
                .Where(line =>
                    !line.StartsWith("model.embed_tokens.weight_Q", StringComparison.Ordinal)
                    // A table of its own, where the official graph has an operator that DirectML lacks.
                    && !(hasNoTable && line.StartsWith("model.embed_tokens.weight ", StringComparison.Ordinal))
                )
        );
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Inputs_and_outputs_are_the_same(string fixture, string variant, Precision precision, GraphTarget target)
    {
        (GraphProto ours, GraphProto official) = Graphs(fixture, variant, precision, target);
        string headSize = $"{LlamaShape.Load(Fixtures.Shared(fixture, "hf", "config.json")).HeadSize}";

        Assert.Equal(Values(official).Select(value => value.Replace("kv_cache_dim", headSize)), Values(ours));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void Configuration_is_the_same(string fixture, string variant, Precision precision, GraphTarget target)
    {
        var shape = LlamaShape.Load(Fixtures.Shared(fixture, "hf", "config.json"));
        JsonNode official = JsonNode.Parse(File.ReadAllText(Fixtures.Shared(fixture, variant, "genai_config.json")))!;
        var tokenizer = new SpecialTokens(shape.BosTokenId, shape.EosTokenIds, (int)official["model"]!["pad_token_id"]!);

        JsonNode ours = JsonNode.Parse(GenAiConfigText.Text(shape, target, "model.onnx", tokenizer))!;

        Assert.True(JsonNode.DeepEquals(official, ours), $"{precision}: {ours.ToJsonString()}");
    }

    [Theory]
    [InlineData("llama3-gqa-bf16", "official-int4-cpu", GraphTarget.Cpu)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-int4-cpu", GraphTarget.Cpu)]
    [InlineData("llama32-tied-ropescaled-sharded", "official-fp16-dml", GraphTarget.DirectML)]
    public void Rotary_caches_are_the_same(string fixture, string variant, GraphTarget target)
    {
        ModelProto official = OnnxFile.Read(Fixtures.Shared(fixture, variant, "model.onnx"));
        byte[] data = File.ReadAllBytes(Fixtures.Shared(fixture, variant, "model.onnx.data"));
        var plan = BuildPlan.Create(Options(fixture, target == GraphTarget.Cpu ? Precision.Int4 : Precision.Fp16, target));

        foreach (string name in (string[])["cos_cache", "sin_cache"])
        {
            TensorProto tensor = official.Graph.Initializer.Single(t => t.Name == name);
            int offset = int.Parse(tensor.ExternalData.Single(e => e.Key == "offset").Value);
            ExternalTensor own = plan.Data.Tensors.Single(t => t.Name == name);
            byte[] actual = new byte[own.Length];
            var cache = new RotaryCache(plan.Shape);
            bool half = tensor.DataType == TensorProto.Types.DataType.Float16;
            if (name == "cos_cache")
            {
                cache.FillCos(actual, 0, half);
            }
            else
            {
                cache.FillSin(actual, 0, half);
            }

            // The last bit of a float32 frequency, times 2048 positions; float16 rounds far coarser.
            double tolerance = target == GraphTarget.Cpu ? 2e-5 : 1e-3;
            float[] expected = Floats(data.AsSpan(offset, actual.Length), tensor.DataType);
            Assert.InRange(expected.Zip(Floats(actual, tensor.DataType)).Max(pair => Math.Abs(pair.First - pair.Second)), 0, tolerance);
        }
    }

    private static ModelBuildOptions Options(string fixture, Precision precision, GraphTarget target) =>
        new()
        {
            Model = Fixtures.Shared(fixture, "hf", "config.json"),
            Precision = precision,
            Target = target,
            PruneLmHead = false,
        };

    private static (GraphProto Ours, GraphProto Official) Graphs(string fixture, string variant, Precision precision, GraphTarget target) =>
        (
            BuildPlan.Create(Options(fixture, precision, target)).Model.Graph,
            OnnxFile.Read(Fixtures.Shared(fixture, variant, "model.onnx")).Graph
        );

    // Constants are nodes there and initializers here; tied embeddings are read from a copy there and from the same bytes here.
    private static string[] Nodes(GraphProto graph)
    {
        string embedding = graph.Node.Single(node => node.OpType == "SimplifiedLayerNormalization").Input[0];
        return
        [
            .. graph
                .Node.Where(node => node.OpType != "Constant" && !node.Name.Contains("embed_tokens"))
                .Select(node =>
                    $"{node.Domain}:{node.OpType} {node.Name} ({string.Join(", ", node.Input).TrimEnd(',', ' ')}) -> "
                    + $"({string.Join(", ", node.Output)}) {GraphListing.Attributes(node)}"
                )
                .Select(line => line.Replace(embedding, "EMBEDDING", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
    }

    private static string[] Operators(GraphProto graph, string path) =>
        [
            .. graph
                .Node.Where(node => node.Name.StartsWith(path, StringComparison.Ordinal))
                .Select(node => node.OpType)
                .Order(StringComparer.Ordinal),
        ];

    private static string[] Tensors(GraphProto graph) =>
        [
            .. graph
                .Initializer.Where(t => !t.Name.StartsWith("/model/constants", StringComparison.Ordinal))
                .Select(t => $"{t.Name} {t.DataType}[{string.Join(',', t.Dims)}]")
                .Order(StringComparer.Ordinal),
        ];

    private static string[] Values(GraphProto graph) =>
        [.. graph.Input.Concat(graph.Output).Select(GraphListing.Value).Order(StringComparer.Ordinal)];

    private static float[] Floats(ReadOnlySpan<byte> bytes, TensorProto.Types.DataType type) =>
        type == TensorProto.Types.DataType.Float
            ? System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray()
            : Array.ConvertAll(System.Runtime.InteropServices.MemoryMarshal.Cast<byte, Half>(bytes).ToArray(), h => (float)h);
}
