using Llama3Perf.Models.Onnx;
using Llama3Perf.Models.Weights;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Llama;

/// <summary>
/// Writes matrix products y[.., N] = x[.., K] W, norms' weights and embeddings in the precision of the build.
/// A module's path is like <c>/model/layers.0/attn/q_proj</c>; its weights are named with dots, its nodes with slashes.
/// </summary>
internal sealed class LinearLayers(GraphWriter graph, DataLayout data, IWeightSource weights, ModelBuildOptions options)
{
    /// <summary>float32 or float16: type of activations, norms, scales, caches, inputs and outputs.</summary>
    public DataType Float { get; } = IsHalf(options) ? DataType.Float16 : DataType.Float;

    private bool Quantized => options.Precision is Precision.Int4 or Precision.Int8;

    private int Bits => options.Precision == Precision.Int4 ? 4 : 8;

    /// <summary>One matrix product with its weights, from [.., k] to [.., n], and its bias where the model has one.</summary>
    public string MatMul(string path, string input, int k, int n, bool bias = false)
    {
        Weights(path, k, n);
        string product = Product(path, input, k, n, $"{path}/MatMul/output_0");
        return bias ? graph.Standard("Add", $"{path}/Add", [product, Bias(path, n)]) : product;
    }

    /// <summary>The node of a matrix product whose weights are there.</summary>
    public string Product(string path, string input, int k, int n, string output) =>
        Quantized
            ? graph.Contrib(
                "MatMulNBits",
                $"{path}/MatMul_Q{Bits}",
                [input, Packed(path), .. Scales(path)],
                [output],
                MatMulAttributes(k, n)
            )
            : graph.Node("", "MatMul", $"{path}/MatMul", [input, Weight(path)], [output]);

    /// <summary>An embedding with a table of its own, [rows, width] in the float type.</summary>
    public string Embedding(string ids, int rows, int width)
    {
        data.Fill(weights.Embedding(Place("model.embed_tokens.weight", Float, rows, width)));
        return graph.Standard("Gather", "/model/embed_tokens/Gather", ["model.embed_tokens.weight", ids]);
    }

    /// <summary>
    /// An embedding that reads the weights of the LM head, which are there already, without a second copy of them.
    /// Quantized: a second initializer over the same bytes, because a Reshape of the first would be folded into a copy.
    /// Floating point: columns of the [width, rows] matrix, because its Transpose would be.
    /// DirectML has no GatherBlockQuantized, and ONNX Runtime GenAI refuses there what is not on DirectML as a whole: quantized folders get
    /// a table of their own in float16, 2 · rows · width bytes beside the quantized head.
    /// </summary>
    public string TiedEmbedding(string head, string ids, int rows, int width)
    {
        if (!Quantized)
        {
            string columns = graph.Standard("Gather", "/model/embed_tokens/Gather", [Weight(head), ids], ("axis", 1));
            return graph.Standard("Transpose", "/model/embed_tokens/Transpose", [columns], ("perm", (int[])[1, 2, 0]));
        }

        if (options.Target == GraphTarget.DirectML)
        {
            return Embedding(ids, rows, width);
        }

        string table = $"model.embed_tokens.weight_Q{Bits}";
        graph.Initializer(data.Alias(table, DataType.Uint8, [rows, width * Bits / 8], Packed(head)));
        return graph.Contrib(
            "GatherBlockQuantized",
            "/model/embed_tokens/GatherBlockQuantized",
            [table, ids, .. Scales(head)],
            ("bits", Bits),
            ("block_size", options.BlockSize),
            ("gather_axis", 0),
            ("quantize_axis", 1)
        );
    }

    /// <summary>The weights of a product, from [.., k] to [.., n].</summary>
    public void Weights(string path, int k, int n)
    {
        if (!Quantized)
        {
            ExternalTensor matrix = Place(Weight(path), Float, k, n);
            data.Fill(weights.Matrix(path, matrix));
            return;
        }

        int blocks = k / options.BlockSize;
        var places = new QuantizedMatrix(
            Place(Packed(path), DataType.Uint8, n, blocks, options.BlockSize * Bits / 8),
            Place($"{Weight(path)}_scales", Float, n, blocks),
            options.Symmetric ? null : Place($"{Weight(path)}_zp", DataType.Uint8, n, ((blocks * Bits) + 7) / 8),
            Bits,
            options.BlockSize
        );
        data.Fill(weights.Quantized(path, places));
    }

    /// <summary>The weights of a norm.</summary>
    public string Norm(string path, int width)
    {
        ExternalTensor place = Place($"{Dotted(path)}.weight", Float, width);
        data.Fill(weights.Norm(path, place));
        return place.Name;
    }

    private string Bias(string path, int n)
    {
        ExternalTensor place = Place($"{Dotted(path)}.Add.bias", Float, n);
        data.Fill(weights.Bias(path, place));
        return place.Name;
    }

    private static bool IsHalf(ModelBuildOptions options) =>
        options.Precision switch
        {
            Precision.Fp32 => false,
            Precision.Fp16 => true,
            _ => options.Target != GraphTarget.Cpu,
        };

    private ExternalTensor Place(string name, DataType type, params long[] dims)
    {
        ExternalTensor place = data.Add(name, type, dims);
        graph.Initializer(data.Initializer(place));
        return place;
    }

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
