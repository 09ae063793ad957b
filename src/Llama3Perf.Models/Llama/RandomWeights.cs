using Llama3Perf.Models.Weights;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Llama;

/// <summary>Random weights whose sizes keep activations alive through all layers; a function of the seed and the tensors' names.</summary>
internal sealed class RandomWeights(LlamaShape shape, ulong seed) : IWeightSource
{
    private const string Head = "/lm_head";

    public IEnumerable<Piece> Embedding(ExternalTensor place) =>
        Fill(place, WeightPattern.Signed(Rms(shape.HiddenSize, isTiedHead: false), IsHalf(place)));

    public IEnumerable<Piece> Norm(string path, ExternalTensor place) => Fill(place, WeightPattern.Norm(IsHalf(place)));

    public IEnumerable<Piece> Bias(string path, ExternalTensor place) => Fill(place, WeightPattern.Signed(0.05, IsHalf(place)));

    public IEnumerable<Piece> Matrix(string path, ExternalTensor place) =>
        Fill(place, WeightPattern.Signed(Rms(path, place.Dims[0]), IsHalf(place)));

    public IEnumerable<Piece> Quantized(string path, QuantizedMatrix places)
    {
        bool isInt4 = places.Bits == 4;
        IEnumerable<Piece> pieces = Fill(places.Packed, isInt4 ? WeightPattern.Int4 : WeightPattern.Int8)
            .Concat(Fill(places.Scales, WeightPattern.Scale(Rms(path, places.K) / ValueRms(places.Bits), IsHalf(places.Scales))));
        return places.ZeroPoints is { } zeroPoints
            ? pieces.Concat(Fill(zeroPoints, isInt4 ? WeightPattern.ZeroPoint4 : WeightPattern.ZeroPoint8))
            : pieces;
    }

    /// <summary>
    /// Root mean square of random weights with K inputs: products keep the variance of their input at 1 / sqrt(K). A tied LM head is a
    /// third as large: what is left of a token's embedding in the residual stream raises that token's own logit, and at full size
    /// random weights would repeat one token for ever.
    /// </summary>
    public static double Rms(long k, bool isTiedHead) => 1 / Math.Sqrt(k) / (isTiedHead ? 3 : 1);

    private double Rms(string path, long k) => Rms(k, path == Head && shape.TieEmbeddings);

    // Root mean square of the stored values around their zero point: -7 to 7 with 0 twice, -127 to 127 with 0 twice.
    private static double ValueRms(int bits) => bits == 4 ? 4.183 : 73.47;

    private static bool IsHalf(ExternalTensor place) => place.Type == DataType.Float16;

    private IEnumerable<Piece> Fill(ExternalTensor place, WeightPattern pattern) => Chunks.Random(place, pattern, seed);
}
