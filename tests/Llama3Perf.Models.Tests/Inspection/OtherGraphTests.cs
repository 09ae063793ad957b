using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Onnx;
using Llama3Perf.Models.Tests.Folders;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Tests.Inspection;

/// <summary>What other architectures and options have in their graphs, put into a graph of ours: it is told as what it is.</summary>
public sealed class OtherGraphTests
{
    [Fact]
    public void Norms_of_queries_and_keys_do_not_make_their_products_a_part_of_the_MLP()
    {
        using TinyFolder folder = new(TinyFolder.Options with { Target = GraphTarget.DirectML });
        IReadOnlyList<StoredWeights> before = folder.Inspect().Weights;
        folder.Graph(graph =>
        {
            string weight = graph.Node.First(node => node.OpType == "SimplifiedLayerNormalization").Input[1];
            foreach (NodeProto rotary in graph.Node.Where(node => node.OpType == "RotaryEmbedding").ToList())
            {
                string[] steps = ["Reshape", "SimplifiedLayerNormalization", "Reshape"];
                foreach (string step in steps)
                {
                    string output = $"{rotary.Input[0]}/{step}";
                    graph.Node.Add(
                        new NodeProto
                        {
                            OpType = step,
                            Name = output,
                            Input = { rotary.Input[0], weight },
                            Output = { output },
                        }
                    );
                    rotary.Input[0] = output;
                }
            }
        });

        Assert.Equal(Row(before, WeightClass.Attention), Row(folder.Inspect().Weights, WeightClass.Attention));
        Assert.Equal(Row(before, WeightClass.Mlp), Row(folder.Inspect().Weights, WeightClass.Mlp));
    }

    [Fact]
    public void A_soft_cap_behind_the_head_does_not_make_it_a_part_of_the_MLP()
    {
        using TinyFolder folder = new();
        IReadOnlyList<StoredWeights> before = folder.Inspect().Weights;
        folder.Graph(graph =>
        {
            NodeProto head = graph.Node.Single(node => node.Output.Contains("logits"));
            head.Output[0] = "uncapped";
            graph.Initializer.Add(
                new TensorProto
                {
                    Name = "cap",
                    DataType = DataType.Float,
                    FloatData = { 30 },
                }
            );
            graph.Node.Add(
                new NodeProto
                {
                    OpType = "Div",
                    Name = "div",
                    Input = { "uncapped", "cap" },
                    Output = { "div" },
                }
            );
            graph.Node.Add(
                new NodeProto
                {
                    OpType = "Tanh",
                    Name = "tanh",
                    Input = { "div" },
                    Output = { "tanh" },
                }
            );
            graph.Node.Add(
                new NodeProto
                {
                    OpType = "Mul",
                    Name = "mul",
                    Input = { "tanh", "cap" },
                    Output = { "logits" },
                }
            );
        });

        Assert.Equal(Row(before, WeightClass.LmHead), Row(folder.Inspect().Weights, WeightClass.LmHead));
        Assert.Equal(Row(before, WeightClass.Mlp), Row(folder.Inspect().Weights, WeightClass.Mlp));
    }

    [Fact]
    public void A_webgpu_folder_in_float32_suits_webgpu()
    {
        using TinyFolder folder = new(TinyFolder.Options with { Precision = Precision.Int4, Target = GraphTarget.WebGpu });
        folder.Graph(graph =>
        {
            foreach (TensorProto tensor in graph.Initializer.Where(tensor => tensor.DataType == DataType.Float16))
            {
                tensor.DataType = DataType.Float;
            }

            foreach (
                ValueInfoProto value in graph.Input.Concat(graph.Output).Where(value => value.Type.TensorType.ElemType == DataType.Float16)
            )
            {
                value.Type.TensorType.ElemType = DataType.Float;
            }
        });

        FolderInspection inspection = folder.Inspect();
        Assert.Equal("fp32", inspection.Activations);
        Assert.True(inspection.Providers.Single(fit => fit.Provider == GraphTarget.WebGpu).Suits);
        Assert.Contains(
            "float32 keys and values",
            inspection.Providers.Single(fit => fit.Provider == GraphTarget.Cuda).Reason,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Activations_are_not_the_caches_type()
    {
        using TinyFolder folder = new(TinyFolder.Options with { Precision = Precision.Fp32 });
        folder.Graph(graph =>
        {
            foreach (ValueInfoProto input in graph.Input.Where(input => input.Name.StartsWith("past", StringComparison.Ordinal)))
            {
                input.Type.TensorType.ElemType = DataType.Int8;
            }
        });

        FolderInspection inspection = folder.Inspect();
        Assert.Equal(("fp32", "int8", 2L * 2 * 2 * 32), (inspection.Activations, inspection.Cache, inspection.CacheBytesPerToken));
    }

    [Theory]
    [InlineData("local_window_size", "sliding window", true)]
    [InlineData("sliding_window_cache", "sliding_window_cache", false)]
    public void Attributes_of_the_attention_are_needs(string attribute, string reason, bool ort)
    {
        using TinyFolder folder = new(TinyFolder.Options with { Target = GraphTarget.DirectML });
        folder.Graph(graph =>
        {
            foreach (NodeProto node in graph.Node.Where(node => node.OpType == "GroupQueryAttention"))
            {
                node.Attribute.Remove(node.Attribute.FirstOrDefault(a => a.Name == attribute) ?? new AttributeProto());
                node.Attribute.Add(
                    new AttributeProto
                    {
                        Name = attribute,
                        I = 24,
                        Type = AttributeProto.Types.AttributeType.Int,
                    }
                );
            }
        });

        var opened = ModelFolderReader.Open(folder.Path);
        Assert.Contains(reason, GraphNeeds.Refusal(opened, "ort", GraphTarget.DirectML), StringComparison.Ordinal);
        Assert.Equal(ort, GraphNeeds.Refusal(opened, "ort", GraphTarget.Cpu) is null);
    }

    [Fact]
    public void Rotation_inside_counts_whatever_else_rotates()
    {
        using TinyFolder folder = new(TinyFolder.Options with { Target = GraphTarget.DirectML });
        folder.Graph(graph =>
            graph.Node.Last(node => node.OpType == "GroupQueryAttention").Attribute.Single(a => a.Name == "do_rotary").I = 1
        );

        Assert.Equal(GraphFamily.Standard, ModelFolderReader.Open(folder.Path).Family);
    }

    [Fact]
    public void A_cache_that_a_concat_makes_longer_is_no_DirectML_graph()
    {
        using TinyFolder folder = new(TinyFolder.Options with { Target = GraphTarget.DirectML, Precision = Precision.Fp32 });
        folder
            .Graph(graph =>
            {
                foreach (NodeProto node in graph.Node.Where(node => node.OpType == "GroupQueryAttention"))
                {
                    node.OpType = "MultiHeadAttention";
                }
            })
            .Configuration("\"past_present_share_buffer\": true", "\"past_present_share_buffer\": false");

        FolderInspection inspection = folder.Inspect();
        Assert.Equal(GraphFamily.Growing, inspection.Folder.Family);
        Assert.Equal([GraphTarget.Cpu, GraphTarget.Cuda], inspection.Providers.Where(fit => fit.Suits).Select(fit => fit.Provider));
        folder.Configuration("\"past_present_share_buffer\": false", "\"past_present_share_buffer\": true");
        Assert.Contains(
            "past_present_share_buffer true",
            GraphNeeds.Refusal(ModelFolderReader.Open(folder.Path), "genai", GraphTarget.Cpu),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_nothing_makes_is_a_problem_and_runs_nowhere()
    {
        using TinyFolder folder = new();
        folder.Graph(graph => graph.Node.Single(node => node.Output.Contains("logits")).Output[0] = "elsewhere");

        FolderInspection inspection = folder.Inspect();
        Assert.Contains(inspection.Problems, problem => problem.StartsWith("nothing makes 'logits'", StringComparison.Ordinal));
        Assert.DoesNotContain(inspection.Providers, fit => fit.Suits);
    }

    [Fact]
    public void Inputs_that_ort_does_not_feed_are_named()
    {
        using TinyFolder folder = new();
        folder.Graph(graph => graph.Input.Add(new ValueInfoProto { Name = "cache_indirection" }));

        Assert.Contains(
            "'cache_indirection'",
            GraphNeeds.Refusal(ModelFolderReader.Open(folder.Path), "ort", GraphTarget.Cpu),
            StringComparison.Ordinal
        );
        Assert.Null(GraphNeeds.Refusal(ModelFolderReader.Open(folder.Path), "genai", GraphTarget.Cpu));
    }

    [Fact]
    public void Paged_attention_runs_nowhere()
    {
        using TinyFolder folder = new();
        folder.Graph(graph => graph.Node.First(node => node.OpType == "GroupQueryAttention").OpType = "PagedAttention");
        Assert.Contains(
            "PagedAttention",
            GraphNeeds.Refusal(ModelFolderReader.Open(folder.Path), null, GraphTarget.Cuda),
            StringComparison.Ordinal
        );
    }

    private static (long Parameters, long Bytes) Row(IReadOnlyList<StoredWeights> weights, WeightClass kind) =>
        (weights.Where(row => row.Class == kind).Sum(row => row.Parameters), weights.Where(row => row.Class == kind).Sum(row => row.Bytes));
}
