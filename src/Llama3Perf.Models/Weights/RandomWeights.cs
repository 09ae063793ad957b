using Llama3Perf.Models.Building;
using Llama3Perf.Models.Shapes;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Weights;

/// <summary>Random weights whose sizes keep activations alive through all layers; a function of the seed and the tensors' names.</summary>
internal sealed class RandomWeights(LlamaShape shape, ulong seed) : IWeightSource
{
    private const string Head = "/lm_head";

    public IEnumerable<Piece> Embedding(ExternalTensor place) => Fill(place, WeightPattern.Signed(Rms(shape.HiddenSize), IsHalf(place)));

    public IEnumerable<Piece> Norm(string path, ExternalTensor place) => Fill(place, WeightPattern.Norm(IsHalf(place)));

    public IEnumerable<Piece> Bias(string path, ExternalTensor place) => Fill(place, WeightPattern.Signed(0.05, IsHalf(place)));

    public IEnumerable<Piece> Matrix(string path, ExternalTensor place) =>
        Fill(place, WeightPattern.Signed(Rms(path, (int)place.Dims[0]), IsHalf(place)));

    public IEnumerable<Piece> Quantized(string path, QuantizedMatrix places)
    {
        bool isInt4 = places.Bits == 4;
        IEnumerable<Piece> pieces = Fill(places.Packed, isInt4 ? WeightPattern.Int4 : WeightPattern.Int8)
            .Concat(Fill(places.Scales, WeightPattern.Scale(Rms(path, places.K) / ValueRms(places.Bits), IsHalf(places.Scales))));
        return places.ZeroPoints is { } zeroPoints
            ? pieces.Concat(Fill(zeroPoints, isInt4 ? WeightPattern.ZeroPoint4 : WeightPattern.ZeroPoint8))
            : pieces;
    }

    // Products keep the variance of their input when the weights' root mean square is 1 / sqrt(K).
    private static double Rms(int k) => 1 / Math.Sqrt(k);

    // A tied LM head is made a third as large: what is left of a token's embedding in the residual stream raises that token's own
    // logit, and at full size random weights would repeat one token for ever.
    private double Rms(string path, int k) => path == Head && shape.TieEmbeddings ? Rms(k) / 3 : Rms(k);

    // Root mean square of the stored values around their zero point: -7 to 7 with 0 twice, -127 to 127 with 0 twice.
    private static double ValueRms(int bits) => bits == 4 ? 4.183 : 73.47;

    private static bool IsHalf(ExternalTensor place) => place.Type == DataType.Float16;

    private IEnumerable<Piece> Fill(ExternalTensor place, WeightPattern pattern) => Chunks.Random(place, pattern, seed);
}
