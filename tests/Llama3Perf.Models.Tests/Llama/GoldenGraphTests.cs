using Llama3Perf.Models.Building;
using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Models.Tests.Llama;

/// <summary>Names, types and shapes of every preset's graph, without a byte of weights.</summary>
public sealed class GoldenGraphTests
{
    public static TheoryData<string, GraphTarget> PresetsAndTargets()
    {
        var data = new TheoryData<string, GraphTarget>();
        foreach (string shape in LlamaShape.Names)
        {
            data.Add(shape, GraphTarget.Cpu);
            data.Add(shape, GraphTarget.DirectML);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(PresetsAndTargets))]
    public void Presets(string shape, GraphTarget target) => Check(new ModelBuildOptions { Model = shape, Target = target });

    [Theory]
    [InlineData(Precision.Fp32, GraphTarget.Cpu)]
    [InlineData(Precision.Fp16, GraphTarget.Cpu)]
    [InlineData(Precision.Fp16, GraphTarget.DirectML)]
    [InlineData(Precision.Int8, GraphTarget.Cpu)]
    [InlineData(Precision.Int8, GraphTarget.DirectML)]
    [InlineData(Precision.Int4, GraphTarget.Cuda)]
    [InlineData(Precision.Int4, GraphTarget.WebGpu)]
    public void Precisions_and_targets(Precision precision, GraphTarget target) =>
        Check(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = precision,
                Target = target,
            }
        );

    /// <summary>ONNX Runtime GenAI captures every graph on DirectML and refuses one with an operator that DirectML lacks.</summary>
    [Theory]
    [InlineData(Precision.Int4, true)]
    [InlineData(Precision.Int4, false)]
    [InlineData(Precision.Int8, true)]
    [InlineData(Precision.Int8, false)]
    [InlineData(Precision.Fp16, true)]
    [InlineData(Precision.Fp16, false)]
    public void The_DirectML_form_has_only_operators_of_DirectML(Precision precision, bool isTied)
    {
        using TemporaryFolder folder = new();
        ModelFolder built = ModelBuilder.Build(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                Precision = precision,
                Target = GraphTarget.DirectML,
                TieEmbeddings = isTied,
            },
            folder.Path,
            cancellationToken: TestContext.Current.CancellationToken
        );

        Assert.Subset(
            (HashSet<string>)
                [
                    "Add",
                    "Cast",
                    "Gather",
                    "GroupQueryAttention",
                    "MatMul",
                    "MatMulNBits",
                    "Mul",
                    "ReduceSum",
                    "RotaryEmbedding",
                    "Shape",
                    "Sigmoid",
                    "SimplifiedLayerNormalization",
                    "SkipSimplifiedLayerNormalization",
                    "Slice",
                    "Sub",
                    "Transpose",
                    "Unsqueeze",
                ],
            OnnxFile.Read(built.GraphPath).Graph.Node.Select(node => node.OpType).ToHashSet()
        );
        Assert.Null(GraphNeeds.Refusal(built, "genai", GraphTarget.DirectML));
        Assert.Null(GraphNeeds.Refusal(built, "ort", GraphTarget.DirectML));
    }

    [Fact]
    public void Asymmetric_untied_all_positions_block_128() =>
        Check(
            new ModelBuildOptions
            {
                Model = "llama-tiny",
                BlockSize = 128,
                Symmetric = false,
                TieEmbeddings = false,
                PruneLmHead = false,
                AccuracyLevel = 0,
            },
            "-asymmetric-untied-all-positions"
        );

    [Theory]
    [MemberData(nameof(PresetsAndTargets))]
    public void Every_layer_is_like_the_second(string shape, GraphTarget target)
    {
        var plan = BuildPlan.Create(new ModelBuildOptions { Model = shape, Target = target });
        string[] expected = GraphListing.OfLayer(plan.Model, 1);

        Assert.NotEmpty(expected);
        for (int layer = 2; layer < plan.Shape.LayerCount; layer++)
        {
            Assert.Equal(expected, GraphListing.OfLayer(plan.Model, layer));
        }
    }

    [Theory]
    [MemberData(nameof(PresetsAndTargets))]
    public void Nodes_read_only_what_is_there_before_them(string shape, GraphTarget target)
    {
        GraphProto graph = BuildPlan.Create(new ModelBuildOptions { Model = shape, Target = target }).Model.Graph;
        var known = graph.Input.Select(v => v.Name).Concat(graph.Initializer.Select(t => t.Name)).Append("").ToHashSet();

        foreach (NodeProto node in graph.Node)
        {
            Assert.All(node.Input, input => Assert.Contains(input, known));
            Assert.All(node.Output.Where(output => output.Length > 0), output => Assert.True(known.Add(output), $"{output} is made twice"));
        }

        Assert.All(graph.Output, output => Assert.Contains(output.Name, known));
        Assert.Equal(graph.Initializer.Count, graph.Initializer.Select(t => t.Name).Distinct().Count());
    }

    private static void Check(ModelBuildOptions options, string suffix = "")
    {
        ModelProto model = BuildPlan.Create(options).Model;
        Golden.Check(
            $"{options.Model}-{options.Precision}-{options.Target}{suffix}.txt".ToLowerInvariant(),
            GraphListing.WithFirstLayerOnly(model)
        );
    }
}
