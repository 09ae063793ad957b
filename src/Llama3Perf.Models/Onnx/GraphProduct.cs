namespace Llama3Perf.Models.Onnx;

/// <summary>A product of activations with a stored matrix, in any of the forms in which graphs store one.</summary>
/// <param name="Node"><c>MatMul</c>, <c>Gemm</c> or <c>MatMulNBits</c>.</param>
/// <param name="Weight">Name of the matrix.</param>
/// <param name="Scales">Name of a quantized matrix's scales, or null.</param>
/// <param name="ZeroPoints">Name of its zero points; null for a symmetric one.</param>
/// <param name="K">Width of the input.</param>
/// <param name="N">Width of the output.</param>
/// <param name="Bits">Bits of a quantized weight; null for floating point.</param>
/// <param name="BlockSize">Weights along K that share a scale; K itself where a scale belongs to a whole column.</param>
/// <param name="Through">The operator between matrix and product that only turns it, or null.</param>
internal sealed record GraphProduct(
    NodeProto Node,
    string Weight,
    string? Scales,
    string? ZeroPoints,
    long K,
    long N,
    int? Bits,
    int BlockSize,
    string? Through
)
{
    /// <summary>Names of the tensors that make up the matrix.</summary>
    public IEnumerable<string> Parts => new[] { Weight, Scales, ZeroPoints }.OfType<string>();

    /// <summary>The products of a graph, in its order.</summary>
    public static IEnumerable<GraphProduct> All(GraphProto graph, GraphPaths paths, GraphTensors tensors) =>
        graph.Node.Select(node => Of(node, paths, tensors)).OfType<GraphProduct>();

    /// <summary>The product that a node is, or null.</summary>
    public static GraphProduct? Of(NodeProto node, GraphPaths paths, GraphTensors tensors) =>
        node.OpType switch
        {
            "MatMulNBits" => NBits(node, tensors),
            "MatMul" or "Gemm" => Plain(node, paths, tensors),
            _ => null,
        };

    private static GraphProduct? NBits(NodeProto node, GraphTensors tensors)
    {
        string weight = node.InputAt(1);
        return tensors.Has(weight)
            ? new GraphProduct(
                node,
                weight,
                Stored(node.InputAt(2), tensors),
                Stored(node.InputAt(3), tensors),
                node.Integer("K") ?? 0,
                node.Integer("N") ?? 0,
                Narrow(node.Integer("bits") ?? 4),
                Narrow(node.Integer("block_size") ?? 0),
                null
            )
            : null;
    }

    /// <summary>A matrix as it is, turned, or made of integers by a DequantizeLinear (QDQ).</summary>
    private static GraphProduct? Plain(NodeProto node, GraphPaths paths, GraphTensors tensors)
    {
        bool turned = node.OpType == "Gemm" && node.Integer("transB") == 1;
        string name = node.InputAt(1);
        string? through = null;
        if (!tensors.Has(name) && paths.Maker(name) is { OpType: "Transpose" } transpose)
        {
            (name, turned, through) = (transpose.InputAt(0), !turned, transpose.OpType);
        }

        NodeProto? dequantize = paths.Maker(name) is { OpType: "DequantizeLinear" } maker && !tensors.Has(name) ? maker : null;
        string weight = dequantize?.InputAt(0) ?? name;
        if (!tensors.Has(weight) || tensors.Dims(weight) is not [long rows, long columns])
        {
            return null;
        }

        (long k, long n) = turned ? (columns, rows) : (rows, columns);
        return dequantize is null
            ? new GraphProduct(node, weight, null, null, k, n, null, 0, through)
            : new GraphProduct(
                node,
                weight,
                Stored(dequantize.InputAt(1), tensors),
                Stored(dequantize.InputAt(2), tensors),
                k,
                n,
                OnnxFile.BitSize(tensors.Type(weight)),
                Narrow(dequantize.Integer("block_size") is > 0 and var block ? block : k),
                through
            );
    }

    private static string? Stored(string name, GraphTensors tensors) => tensors.Has(name) ? name : null;

    private static int Narrow(long value) => (int)Math.Clamp(value, 0, int.MaxValue);
}
