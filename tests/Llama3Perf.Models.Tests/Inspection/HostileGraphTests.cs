using System.IO.Compression;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Llama3Perf.Models.Inspection;
using Llama3Perf.Models.Onnx;
using Llama3Perf.Models.Tests.Folders;

namespace Llama3Perf.Models.Tests.Inspection;

/// <summary>Whatever a graph is, its folder is told of or refused in one line, and in time.</summary>
public sealed class HostileGraphTests
{
    private const int LongestMessage = 900;

    [Fact]
    public void Graphs_that_broke_the_reader_once()
    {
        using TinyFolder folder = new();
        using ZipArchive graphs = ZipFile.OpenRead(Path.Combine(Fixtures.Root, "tests", "Cases", "hostile-graphs.zip"));
        Assert.Equal(28, graphs.Entries.Count);
        foreach (ZipArchiveEntry entry in graphs.Entries)
        {
            entry.ExtractToFile(folder["model.onnx"], overwrite: true);
            InspectOrRefuse(folder);
        }
    }

    [Fact]
    public void A_circle_is_named()
    {
        using TinyFolder folder = new();
        folder
            .Graph(graph =>
            {
                NodeProto first = graph.Node.First(node => node.OpType == "SimplifiedLayerNormalization");
                first.Input[0] = graph.Node.First(node => node.OpType == "Sigmoid").Output[0];
            })
            .Refused("its nodes go round in a circle");
    }

    [Theory]
    [InlineData(long.MaxValue, 2)]
    [InlineData(-1, 1)]
    [InlineData(1L << 32, 1L << 32)]
    public void Impossible_dimensions_are_named(long rows, long columns)
    {
        using TinyFolder folder = new();
        folder
            .Graph(graph =>
            {
                TensorProto tensor = graph.Initializer.First(tensor => tensor.Dims.Count == 2);
                tensor.Dims.Clear();
                tensor.Dims.AddRange([rows, columns]);
            })
            .Refused("has impossible dimensions");
    }

    [Fact]
    public void A_long_chain_of_nodes_and_products_takes_no_time_that_grows_with_its_square()
    {
        using TinyFolder folder = new();
        folder.Graph(graph =>
        {
            string weight = graph.Initializer.First(tensor => tensor.Dims.Count == 2).Name;
            string value = "/start";
            graph.Node.Add(
                new NodeProto
                {
                    OpType = "Identity",
                    Input = { graph.Input[0].Name },
                    Output = { value },
                }
            );
            for (int i = 0; i < 40_000; i++)
            {
                graph.Node.Add(
                    new NodeProto
                    {
                        OpType = "Add",
                        Input = { value, value },
                        Output = { $"/sum{i}" },
                    }
                );
                graph.Node.Add(
                    new NodeProto
                    {
                        OpType = "MatMul",
                        Input = { $"/sum{i}", weight },
                        Output = { $"/product{i}" },
                    }
                );
                value = $"/sum{i}";
            }
        });
        InspectOrRefuse(folder);
    }

    [Fact]
    public void Mutated_structures_are_told_of_or_refused()
    {
        using TinyFolder folder = new(TinyFolder.Options with { Target = GraphTarget.DirectML });
        byte[] right = File.ReadAllBytes(folder["model.onnx"]);
        Gen.Select(Gen.Int[0, Mutations.Length - 1], Gen.Int[0, 10_000], Gen.Int[0, 10_000])
            .Array[1, 6]
            .Sample(
                mutations =>
                {
                    ModelProto onnx = ModelProto.Parser.ParseFrom(right);
                    foreach ((int kind, int a, int b) in mutations)
                    {
                        Mutations[kind](onnx.Graph, a, b);
                    }

                    File.WriteAllBytes(folder["model.onnx"], onnx.ToByteArray());
                    InspectOrRefuse(folder);
                },
                iter: 400,
                threads: 1
            );
    }

    private static Action<GraphProto, int, int>[] Mutations { get; } =
    [
        (graph, a, b) => WithInputs(graph, a)?.Input.RemoveAt(0),
        (graph, a, b) => WithInputs(graph, a)?.Input.Add(Any(graph, b).Output.FirstOrDefault() ?? ""),
        (graph, a, b) => Any(graph, a).Input.Clear(),
        (graph, a, b) => Any(graph, a).Output.Clear(),
        (graph, a, b) => Any(graph, a).Attribute.Clear(),
        (graph, a, b) => Any(graph, a).OpType = Any(graph, b).OpType,
        (graph, a, b) => graph.Node.Remove(Any(graph, a)),
        (graph, a, b) => graph.Node.Add(Any(graph, a).Clone()),
        (graph, a, b) => (WithInputs(graph, a) ?? Any(graph, a)).Name = "a\0b\nc" + new string('x', b),
        (graph, a, b) => Set(WithInputs(graph, a)?.Input, WithInputs(graph, b)?.Output.FirstOrDefault() ?? ""),
        (graph, a, b) => Set(WithInputs(graph, a)?.Input, graph.Initializer[b % graph.Initializer.Count].Name),
        (graph, a, b) => Set(Any(graph, a).Output, Any(graph, b).Input.FirstOrDefault() ?? ""),
        (graph, a, b) => graph.Input[a % graph.Input.Count].Type = null,
        (graph, a, b) => graph.Input[a % graph.Input.Count].Type = new TypeProto(),
        (graph, a, b) => graph.Output[a % graph.Output.Count].Type = null,
        (graph, a, b) => graph.Initializer[a % graph.Initializer.Count].Dims.Clear(),
        (graph, a, b) => graph.Initializer[a % graph.Initializer.Count].Dims.Add(b % 3 == 0 ? long.MaxValue : b - 5000),
        (graph, a, b) => graph.Initializer[a % graph.Initializer.Count].DataType = (TensorProto.Types.DataType)(b % 30),
        (graph, a, b) => graph.Initializer.RemoveAt(a % graph.Initializer.Count),
        (graph, a, b) => graph.Initializer[a % graph.Initializer.Count].ExternalData.Clear(),
        (graph, a, b) => graph.Initializer[a % graph.Initializer.Count].Name = "n\0" + new string('y', b),
        (graph, a, b) =>
            Any(graph, a)
                .Attribute.Add(
                    new AttributeProto
                    {
                        Name = ((string[])["K", "N", "bits", "block_size", "num_heads", "kv_num_heads"])[b % 6],
                        I = b % 2 == 0 ? long.MinValue : b - 5000,
                    }
                ),
        (graph, a, b) =>
            Any(graph, a)
                .Attribute.Insert(
                    0,
                    new AttributeProto
                    {
                        Name = ((string[])["K", "N", "bits", "block_size", "num_heads", "kv_num_heads"])[b % 6],
                        I = b % 2 == 0 ? long.MaxValue : b,
                    }
                ),
        (graph, a, b) => Any(graph, a).Attribute.Add(new AttributeProto { Name = "then_branch", G = graph.Clone() }),
        (graph, a, b) =>
            graph.Node.Add(
                new NodeProto
                {
                    OpType = "If",
                    Name = "if",
                    Output = { "cos_cache" },
                    Attribute =
                    {
                        new AttributeProto { Name = "else_branch", G = new GraphProto() },
                    },
                }
            ),
    ];

    private static NodeProto Any(GraphProto graph, int index) =>
        graph.Node.Count == 0 ? new NodeProto() : graph.Node[index % graph.Node.Count];

    private static NodeProto? WithInputs(GraphProto graph, int index) => Any(graph, index) is { Input.Count: > 0 } node ? node : null;

    private static void Set(RepeatedField<string>? names, string name)
    {
        if (names is { Count: > 0 })
        {
            names[0] = name;
        }
    }

    private static void InspectOrRefuse(TinyFolder folder)
    {
        try
        {
            FolderInspection inspection = folder.Inspect();
            Assert.All(inspection.Problems, OneLine);
            Assert.All(inspection.Providers, fit => OneLine(fit.Reason ?? ""));
        }
        catch (ModelException e)
        {
            OneLine(e.Message);
        }
    }

    private static void OneLine(string text)
    {
        Assert.DoesNotContain('\n', text);
        Assert.DoesNotContain('\0', text);
        Assert.InRange(text.Length, 0, LongestMessage);
    }
}
