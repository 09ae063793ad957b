using static Llama3Perf.Models.Onnx.AttributeProto.Types;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Onnx;

/// <summary>
/// Writes nodes, inputs and outputs of an ONNX graph. A node's first output is called after the node, <c>NAME/output_0</c>,
/// and every method returns it: that is the naming of ONNX Runtime GenAI's builder, whose graphs ours are compared with.
/// </summary>
/// <param name="graph">The graph that is written to.</param>
internal sealed class GraphWriter(GraphProto graph)
{
    private const string Microsoft = "com.microsoft";

    private readonly GraphProto _graph = graph;

    /// <summary>Writes a graph of its own.</summary>
    public GraphWriter()
        : this(new GraphProto { Name = "main_graph" }) { }

    /// <summary>The finished model: opset 21 and com.microsoft 1, IR version 10.</summary>
    public ModelProto ToModel() =>
        new()
        {
            IrVersion = 10,
            ProducerName = "Llama3Perf",
            Graph = _graph,
            OpsetImport =
            {
                new OperatorSetIdProto { Version = 21 },
                new OperatorSetIdProto { Domain = Microsoft, Version = 1 },
            },
        };

    public string Input(string name, DataType type, params object[] dims)
    {
        _graph.Input.Add(Value(name, type, dims));
        return name;
    }

    public void Output(string name, DataType type, params object[] dims) => _graph.Output.Add(Value(name, type, dims));

    public string Initializer(TensorProto tensor)
    {
        _graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    /// <summary>An int64 [1], or a scalar, stored in the graph; asked for twice it is stored once.</summary>
    public string Constant(long value, bool scalar = false) =>
        Constant(
            scalar ? $"INT64/{value}" : $"INT64/[{value}]",
            scalar,
            new TensorProto { DataType = DataType.Int64, Int64Data = { value } }
        );

    /// <summary>An int32 [1] stored in the graph.</summary>
    public string Int32Constant(int value) =>
        Constant($"INT32/[{value}]", scalar: false, new TensorProto { DataType = DataType.Int32, Int32Data = { value } });

    private string Constant(string label, bool scalar, TensorProto tensor)
    {
        tensor.Name = $"/model/constants/{label}";
        if (!scalar)
        {
            tensor.Dims.Add(1);
        }

        return _graph.Initializer.Any(t => t.Name == tensor.Name) ? tensor.Name : Initializer(tensor);
    }

    /// <summary>An operator of the ONNX standard.</summary>
    public string Standard(string op, string name, string[] inputs, params (string Name, object Value)[] attributes) =>
        Node("", op, name, inputs, [$"{name}/output_0"], attributes);

    /// <summary>A com.microsoft operator.</summary>
    public string Contrib(string op, string name, string[] inputs, params (string Name, object Value)[] attributes) =>
        Node(Microsoft, op, name, inputs, [$"{name}/output_0"], attributes);

    /// <summary>A com.microsoft operator whose outputs are named by the caller.</summary>
    public string Contrib(string op, string name, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes) =>
        Node(Microsoft, op, name, inputs, outputs, attributes);

    /// <summary>An operator of either domain (empty for the standard's) with named outputs; returns the first.</summary>
    public string Node(
        string domain,
        string op,
        string name,
        string[] inputs,
        string[] outputs,
        params (string Name, object Value)[] attributes
    )
    {
        _graph.Node.Add(
            new NodeProto
            {
                Name = name,
                OpType = op,
                Domain = domain,
                Input = { inputs },
                Output = { outputs },
                Attribute = { attributes.Select(a => Attribute(a.Name, a.Value)) },
            }
        );
        return outputs[0];
    }

    private static AttributeProto Attribute(string name, object value) =>
        value switch
        {
            int i => new AttributeProto
            {
                Name = name,
                Type = AttributeType.Int,
                I = i,
            },
            float f => new AttributeProto
            {
                Name = name,
                Type = AttributeType.Float,
                F = f,
            },
            int[] list => new AttributeProto
            {
                Name = name,
                Type = AttributeType.Ints,
                Ints = { list.Select(i => (long)i) },
            },
            _ => throw new ArgumentException($"No ONNX attribute for {value.GetType()}.", nameof(value)),
        };

    private static ValueInfoProto Value(string name, DataType type, object[] dims)
    {
        var shape = new TensorShapeProto();
        foreach (object dim in dims)
        {
            shape.Dim.Add(
                dim is string symbol
                    ? new TensorShapeProto.Types.Dimension { DimParam = symbol }
                    : new TensorShapeProto.Types.Dimension { DimValue = (int)dim }
            );
        }

        return new ValueInfoProto
        {
            Name = name,
            Type = new TypeProto
            {
                TensorType = new TypeProto.Types.Tensor { ElemType = type, Shape = shape },
            },
        };
    }
}
