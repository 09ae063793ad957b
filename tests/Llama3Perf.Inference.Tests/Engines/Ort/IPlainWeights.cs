namespace Llama3Perf.Inference.Tests.Engines.Ort;

/// <summary>A model's weights as plain float matrices: those that a model folder stores, or those of the checkpoint that it was made
/// of.</summary>
internal interface IPlainWeights
{
    int HiddenSize { get; }

    int LayerCount { get; }

    int HeadCount { get; }

    int KeyValueHeadCount { get; }

    int HeadSize { get; }

    float Epsilon { get; }

    /// <summary>Angles a position, [head size / 2].</summary>
    double[] Frequencies { get; }

    /// <summary>[vocabulary, hidden].</summary>
    float[] Embedding { get; }

    /// <summary>[hidden] in the order of the graph: two a layer, and the last one.</summary>
    IReadOnlyList<float[]> Norms { get; }

    /// <summary>Queries, keys and values of a layer, [outputs, inputs].</summary>
    float[] QueryKeyValue(string path);

    /// <summary>The matrix of a product, [outputs, inputs]: <c>layers.0/attn/o_proj</c>, <c>lm_head</c>.</summary>
    float[] Matrix(string path);

    /// <summary>What is added to a product, [outputs], or null; of a whole layer's queries, keys and values for its own path.</summary>
    float[]? Bias(string path);
}
