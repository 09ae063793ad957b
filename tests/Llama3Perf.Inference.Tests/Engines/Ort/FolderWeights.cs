using System.Globalization;
using System.Runtime.InteropServices;
using Llama3Perf.Models;
using Llama3Perf.Models.Onnx;

namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>A folder's weights as plain float matrices, read from its files without ONNX Runtime.</summary>
internal sealed class FolderWeights : IPlainWeights
{
    private readonly GraphProto _graph;
    private readonly Dictionary<string, TensorProto> _initializers;
    private readonly byte[] _data;

    public FolderWeights(ModelFolder folder)
    {
        (HiddenSize, LayerCount, HeadCount, KeyValueHeadCount, HeadSize) = (
            folder.HiddenSize,
            folder.LayerCount,
            folder.HeadCount,
            folder.KeyValueHeadCount,
            folder.HeadSize
        );
        Frequencies = RotaryFrequencies.Of(folder);
        _graph = OnnxFile.Read(folder.GraphPath).Graph;
        _initializers = _graph.Initializer.ToDictionary(tensor => tensor.Name);
        string location = _graph.Initializer.SelectMany(tensor => tensor.ExternalData).First(entry => entry.Key == "location").Value;
        _data = File.ReadAllBytes(Path.Combine(folder.Path, location));
        Norms =
        [
            .. _graph
                .Node.Where(node => node.OpType is "SimplifiedLayerNormalization" or "SkipSimplifiedLayerNormalization")
                .Select(node => Floats(node.Input[node.OpType == "SimplifiedLayerNormalization" ? 1 : 2])),
        ];
        Epsilon = _graph
            .Node.First(node => node.OpType == "SimplifiedLayerNormalization")
            .Attribute.First(attribute => attribute.Name == "epsilon")
            .F;
        Embedding = ReadEmbedding();
    }

    public int HiddenSize { get; }

    public int LayerCount { get; }

    public int HeadCount { get; }

    public int KeyValueHeadCount { get; }

    public int HeadSize { get; }

    public double[] Frequencies { get; }

    public IReadOnlyList<float[]> Norms { get; }

    public float Epsilon { get; }

    public float[] Embedding { get; }

    // One product, or three of a DirectML graph.
    public float[] QueryKeyValue(string path) =>
        _graph.Node.Any(node => node.Name.Contains($"{path}attn/q_proj", StringComparison.Ordinal))
            ? [.. Matrix($"{path}attn/q_proj"), .. Matrix($"{path}attn/k_proj"), .. Matrix($"{path}attn/v_proj")]
            : Matrix($"{path}attn/qkv_proj");

    /// <summary>None: folders with biases are compared with the checkpoint that they were made of.</summary>
    public float[]? Bias(string path) => null;

    // By a part of its node's name.
    public float[] Matrix(string name)
    {
        NodeProto node = _graph.Node.Single(candidate =>
            candidate.OpType is "MatMulNBits" or "MatMul" && candidate.Name.Contains(name, StringComparison.Ordinal)
        );
        if (node.OpType == "MatMulNBits")
        {
            long Attribute(string key) => node.Attribute.First(attribute => attribute.Name == key).I;
            return Dequantize(
                node.Input[1],
                node.Input[2],
                node.Input.Count > 3 ? node.Input[3] : "",
                (int)Attribute("N"),
                (int)Attribute("K"),
                (int)Attribute("bits"),
                (int)Attribute("block_size")
            );
        }

        TensorProto weights = _initializers[node.Input[1]];
        return Transpose(Floats(node.Input[1]), (int)weights.Dims[0], (int)weights.Dims[1]);
    }

    private float[] ReadEmbedding()
    {
        NodeProto node = _graph.Node.Single(candidate =>
            candidate.OpType is "GatherBlockQuantized"
            || (candidate.OpType == "Gather" && candidate.Name.Contains("embed_tokens", StringComparison.Ordinal))
        );
        if (node.OpType == "Gather")
        {
            // Our tied table is the head's matrix, [hidden, vocabulary].
            TensorProto table = _initializers[node.Input[0]];
            bool byColumns = node.Attribute.Any(attribute => attribute is { Name: "axis", I: 1 });
            return byColumns ? Transpose(Floats(node.Input[0]), (int)table.Dims[0], (int)table.Dims[1]) : Floats(node.Input[0]);
        }

        // The table is the head's own quantized matrix, whatever view of it the graph takes.
        return Matrix("lm_head");
    }

    private float[] Dequantize(string weights, string scales, string zeroPoints, int n, int k, int bits, int blockSize)
    {
        byte[] packed = Bytes(weights);
        float[] scale = Floats(scales);
        byte[]? zeros = zeroPoints.Length > 0 ? Bytes(zeroPoints) : null;
        int blocks = (k + blockSize - 1) / blockSize;
        int zeroRow = ((blocks * bits) + 7) / 8;
        float[] matrix = new float[n * k];
        for (int row = 0; row < n; row++)
        {
            for (int column = 0; column < k; column++)
            {
                int block = column / blockSize;
                int zero = zeros is null ? 1 << (bits - 1) : Value(zeros, row * zeroRow, block, bits);
                int value = Value(packed, row * blocks * blockSize * bits / 8, column, bits);
                matrix[(row * k) + column] = (value - zero) * scale[(row * blocks) + block];
            }
        }

        return matrix;
    }

    // Low nibble first.
    private static int Value(byte[] packed, int start, int index, int bits) =>
        bits == 8 ? packed[start + index] : (packed[start + (index / 2)] >> (index % 2 * 4)) & 15;

    private static float[] Transpose(float[] matrix, int rows, int columns)
    {
        float[] transposed = new float[matrix.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                transposed[(column * rows) + row] = matrix[(row * columns) + column];
            }
        }

        return transposed;
    }

    private float[] Floats(string name) =>
        _initializers[name].DataType == TensorProto.Types.DataType.Float16
            ? [.. MemoryMarshal.Cast<byte, Half>(Bytes(name)).ToArray().Select(half => (float)half)]
            : MemoryMarshal.Cast<byte, float>(Bytes(name)).ToArray();

    private byte[] Bytes(string name)
    {
        TensorProto tensor = _initializers[name];
        long Entry(string key) => long.Parse(tensor.ExternalData.First(entry => entry.Key == key).Value, CultureInfo.InvariantCulture);
        long offset = tensor.ExternalData.Any(entry => entry.Key == "offset") ? Entry("offset") : 0;
        return _data[(int)offset..(int)(offset + Entry("length"))];
    }
}
