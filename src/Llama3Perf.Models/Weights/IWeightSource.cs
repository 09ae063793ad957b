namespace Llama3Perf.Models.Weights;

/// <summary>
/// Where the values of a model come from: random numbers or a checkpoint. Each method gives the work that fills places in the data
/// file, whose type and sizes say what is wanted. A path names a module of the graph, like <c>/model/layers.0/attn/qkv_proj</c>.
/// </summary>
internal interface IWeightSource
{
    /// <summary>The token embedding, [vocabulary, hidden] in float32 or float16.</summary>
    IEnumerable<Piece> Embedding(ExternalTensor place);

    /// <summary>The weights of a norm, [width].</summary>
    IEnumerable<Piece> Norm(string path, ExternalTensor place);

    /// <summary>The bias of a product, [N].</summary>
    IEnumerable<Piece> Bias(string path, ExternalTensor place);

    /// <summary>The matrix of a product in floating point, [K, N].</summary>
    IEnumerable<Piece> Matrix(string path, ExternalTensor place);

    /// <summary>The matrix of a product, quantized.</summary>
    IEnumerable<Piece> Quantized(string path, QuantizedMatrix places);
}

/// <summary>The places of a block-quantized matrix.</summary>
/// <param name="Packed">uint8 [N, K / block, block x bits / 8].</param>
/// <param name="Scales">float32 or float16 [N, K / block].</param>
/// <param name="ZeroPoints">uint8 [N, ceil(K / block x bits / 8)], or null for the symmetric form.</param>
/// <param name="Bits">4 or 8.</param>
/// <param name="BlockSize">Elements along K that share a scale.</param>
internal sealed record QuantizedMatrix(ExternalTensor Packed, ExternalTensor Scales, ExternalTensor? ZeroPoints, int Bits, int BlockSize)
{
    /// <summary>Outputs.</summary>
    public int N => (int)Packed.Dims[0];

    /// <summary>Inputs.</summary>
    public int K => (int)Packed.Dims[1] * BlockSize;
}
