using Llama3Perf.Models.Weights;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Building;

/// <summary>
/// Writes matrix products y[.., N] = x[.., K] W, norms' weights and embeddings in the precision of the build.
/// A module's path is like <c>/model/layers.0/attn/q_proj</c>; its weights are named with dots, its nodes with slashes.
/// </summary>
internal sealed class LinearLayers(GraphWriter graph, DataLayout data, ModelBuildOptions options)
{
    /// <summary>float32 or float16: type of activations, norms, scales, caches, inputs and outputs.</summary>
    public DataType Float { get; } = IsHalf(options) ? DataType.Float16 : DataType.Float;

    private bool Half => Float == DataType.Float16;

    private bool Quantized => options.Precision is Precision.Int4 or Precision.Int8;

    private int Bits => options.Precision == Precision.Int4 ? 4 : 8;

    /// <summary>One matrix product with its weights, from [.., k] to [.., n].</summary>
    public string MatMul(string path, string input, int k, int n)
    {
        Weights(path, k, n, Rms(k));
        return Product(path, input, k, n, $"{path}/MatMul/output_0");
    }

    /// <summary>
    /// The weights of the LM head. As a tied embedding they are made a third as large: what is left of a token's embedding in the
    /// residual stream raises that token's own logit, and at full size random weights would repeat one token for ever.
    /// </summary>
    public void HeadWeights(string path, int k, int n, bool tied) => Weights(path, k, n, tied ? Rms(k) / 3 : Rms(k));

    /// <summary>The node of a matrix product whose weights are there.</summary>
    public string Product(string path, string input, int k, int n, string output) => Quantized
        ? graph.Contrib("MatMulNBits", $"{path}/MatMul_Q{Bits}", [input, Packed(path), .. Scales(path)], [output], MatMulAttributes(k, n))
        : graph.Node("", "MatMul", $"{path}/MatMul", [input, Weight(path)], [output]);

    /// <summary>An embedding with a table of its own, [rows, width] in the float type.</summary>
    public string Embedding(string ids, int rows, int width)
    {
        Add("model.embed_tokens.weight", Float, [rows, width], WeightPattern.Signed(Rms(width), Half));
        return graph.Standard("Gather", "/model/embed_tokens/Gather", ["model.embed_tokens.weight", ids]);
    }

    /// <summary>
    /// An embedding that reads the weights of the LM head, which are there already, without a second copy of them.
    /// Quantized: a second initializer over the same bytes, because a Reshape of the first would be folded into a copy.
    /// Floating point: columns of the [width, rows] matrix, because its Transpose would be.
    /// </summary>
    public string TiedEmbedding(string head, string ids, int rows, int width)
    {
        if (!Quantized)
        {
            string columns = graph.Standard("Gather", "/model/embed_tokens/Gather", [Weight(head), ids], ("axis", 1));
            return graph.Standard("Transpose", "/model/embed_tokens/Transpose", [columns], ("perm", (int[])[1, 2, 0]));
        }

        string table = $"model.embed_tokens.weight_Q{Bits}";
        graph.Initializer(data.Alias(table, DataType.Uint8, [rows, width * Bits / 8], Packed(head)));
        return graph.Contrib("GatherBlockQuantized", "/model/embed_tokens/GatherBlockQuantized", [table, ids, .. Scales(head)],
            ("bits", Bits), ("block_size", options.BlockSize), ("gather_axis", 0), ("quantize_axis", 1));
    }

    private void Weights(string path, int k, int n, double rms)
    {
        if (!Quantized)
        {
            Add(Weight(path), Float, [k, n], WeightPattern.Signed(rms, Half));
            return;
        }

        int blocks = k / options.BlockSize;
        Add(Packed(path), DataType.Uint8, [n, blocks, options.BlockSize * Bits / 8], Bits == 4 ? WeightPattern.Int4 : WeightPattern.Int8);
        Add($"{Weight(path)}_scales", Float, [n, blocks], WeightPattern.Scale(rms / ValueRms, Half));
        if (!options.Symmetric)
        {
            WeightPattern zeros = Bits == 4 ? WeightPattern.ZeroPoint4 : WeightPattern.ZeroPoint8;
            Add($"{Weight(path)}_zp", DataType.Uint8, [n, ((blocks * Bits) + 7) / 8], zeros);
        }
    }

    /// <summary>The weights of a norm.</summary>
    public string Norm(string path, int width)
    {
        string name = $"{Dotted(path)}.weight";
        Add(name, Float, [width], WeightPattern.Norm(Half));
        return name;
    }

    // Products keep the variance of their input when the weights' root mean square is 1 / sqrt(K).
    private static double Rms(int k) => 1 / Math.Sqrt(k);

    // Root mean square of the stored values around their zero point: -7 to 7 with 0 twice, -127 to 127 with 0 twice.
    private double ValueRms => Bits == 4 ? 4.183 : 73.47;

    private static bool IsHalf(ModelBuildOptions options) => options.Precision switch
    {
        Precision.Fp32 => false,
        Precision.Fp16 => true,
        _ => options.Target != GraphTarget.Cpu,
    };

    private void Add(string name, DataType type, long[] dims, WeightPattern pattern) =>
        graph.Initializer(data.Add(name, type, dims, (destination, _, seed) => SyntheticWeights.Fill(destination, pattern, seed)));

    private static string Dotted(string path) => path[1..].Replace('/', '.');

    private static string Weight(string path) => $"{Dotted(path)}.MatMul.weight";

    private string Packed(string path) => $"{Weight(path)}_Q{Bits}";

    private string[] Scales(string path) =>
        options.Symmetric ? [$"{Weight(path)}_scales"] : [$"{Weight(path)}_scales", $"{Weight(path)}_zp"];

    private (string Name, object Value)[] MatMulAttributes(int k, int n)
    {
        (string Name, object Value)[] attributes = [("K", k), ("N", n), ("bits", Bits), ("block_size", options.BlockSize)];
        return options.AccuracyLevel == 0 || options.Target == GraphTarget.DirectML
            ? attributes
            : [.. attributes, ("accuracy_level", options.AccuracyLevel)];
    }
}
