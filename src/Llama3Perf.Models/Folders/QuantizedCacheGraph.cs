using Google.Protobuf;
using Llama3Perf.Models.Onnx;
using static Llama3Perf.Models.Onnx.AttributeProto.Types;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Folders;

/// <summary>A folder's graph with its KV cache in 8 or 4 bits: GroupQueryAttention rounds what it appends, by a scale for each
/// channel.</summary>
internal static class QuantizedCacheGraph
{
    // Places of GroupQueryAttention's inputs k_scale and v_scale.
    private const int KeyScale = 12;

    /// <summary>The graph; its data stays where it is.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="type"><see cref="KeyValueType.Int8"/> or <see cref="KeyValueType.Int4"/>.</param>
    /// <param name="scales">Largest keys and values of each layer.</param>
    /// <exception cref="ModelException">The file cannot be read.</exception>
    public static ModelProto Create(ModelFolder folder, KeyValueType type, CacheScales scales)
    {
        ModelProto model = OnnxFile.ReadWhole(folder.GraphPath);
        foreach (NodeProto node in model.Graph.Node.Where(node => node.OpType == "GroupQueryAttention"))
        {
            int layer =
                CacheInput.Layer(folder.Names.PastKey, node.InputAt(3))
                ?? throw new ModelException($"{folder.GraphPath}: node '{node.Name}' has no keys of a layer. Export the model again.");
            while (node.Input.Count < KeyScale + 2)
            {
                node.Input.Add("");
            }

            node.Input[KeyScale] = AddScales(model.Graph, $"model.layers.{layer}.attn.k_scale", scales.Keys[layer], type);
            node.Input[KeyScale + 1] = AddScales(model.Graph, $"model.layers.{layer}.attn.v_scale", scales.Values[layer], type);
            node.Attribute.Add(PerChannel("k_quant_type"));
            node.Attribute.Add(PerChannel("v_quant_type"));
            node.Attribute.Add(
                new AttributeProto
                {
                    Name = "kv_cache_bit_width",
                    Type = AttributeType.Int,
                    I = type == KeyValueType.Int4 ? 4 : 8,
                }
            );
        }

        foreach (
            ValueInfoProto cache in model
                .Graph.Input.Concat(model.Graph.Output)
                .Concat(model.Graph.ValueInfo)
                .Where(v => IsCache(folder, v))
        )
        {
            // Two numbers of 4 bits are one element.
            cache.Type.TensorType.ElemType = type == KeyValueType.Int4 ? DataType.Uint8 : DataType.Int8;
            cache.Type.TensorType.Shape.Dim[3] = new TensorShapeProto.Types.Dimension
            {
                DimValue = type == KeyValueType.Int4 ? (folder.HeadSize + 1) / 2 : folder.HeadSize,
            };
        }

        return model;
    }

    private static bool IsCache(ModelFolder folder, ValueInfoProto value) =>
        value.Type?.TensorType?.Shape?.Dim.Count == 4
        && ((string[])[folder.Names.PastKey, folder.Names.PastValue, folder.Names.PresentKey, folder.Names.PresentValue]).Any(pattern =>
            CacheInput.Layer(pattern, value.Name) is not null
        );

    private static string AddScales(GraphProto graph, string name, float[] largest, KeyValueType type)
    {
        float steps = type == KeyValueType.Int4 ? 7 : 127;
        graph.Initializer.Add(
            new TensorProto
            {
                Name = name,
                DataType = DataType.Float,
                Dims = { largest.Length },
                FloatData = { largest.Select(value => value / steps) },
            }
        );
        return name;
    }

    private static AttributeProto PerChannel(string name) =>
        new()
        {
            Name = name,
            Type = AttributeType.String,
            S = ByteString.CopyFromUtf8("PER_CHANNEL"),
        };
}
