using Llama3Perf.Models.Folders;
using Llama3Perf.Models.Gguf;
using Llama3Perf.Models.Llama;
using Llama3Perf.Models.Weights;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Converting;

/// <summary>
/// An ONNX folder of ours turned into what a GGUF file will hold, tensor by tensor in llama.cpp's names and order of rows; the work that
/// moves the weights is made, and not done.
/// </summary>
internal sealed class GgufPlan
{
    private const string Table = "model.embed_tokens.weight";

    private static readonly DataType[] s_floats = [DataType.Float, DataType.Float16];
    private static readonly DataType[] s_bytes = [DataType.Uint8];

    private readonly OnnxWeights _weights;
    private readonly int? _block;
    private readonly List<GgufTensor> _tensors = [];
    private readonly List<Func<ExternalTensor, IEnumerable<Piece>>> _work = [];

    private GgufPlan(ModelFolder folder)
    {
        Folder = folder;
        Shape = BuildManifest.ReadShape(folder.Path);
        _block = folder.BlockSize;
        Type = TypeOf(folder);
        _weights = new OnnxWeights(folder);
        Type = Type == GgufType.Q4 && _weights.Has(ZeroPoints(Weight("lm_head"))) ? GgufType.Q4Minimum : Type;
        AddAll();
    }

    public ModelFolder Folder { get; }

    public LlamaShape Shape { get; }

    /// <summary>The type of the matrices.</summary>
    public GgufType Type { get; }

    /// <summary>The tensors; their offsets count from the first one.</summary>
    public IReadOnlyList<GgufTensor> Tensors => _tensors;

    /// <summary>Bytes of all tensors with what is between them.</summary>
    public long Length { get; private set; }

    /// <summary>Filled while the weights are moved.</summary>
    public ScaleCounts Counts { get; } = new();

    private bool IsQuantized => _block is not null;

    private int Bits => Type == GgufType.Q8 ? 8 : 4;

    /// <exception cref="ModelException">The folder is none of ours, or has weights that GGUF holds in no type.</exception>
    public static GgufPlan Create(ModelFolder folder) => new(folder);

    /// <summary>All work, for tensors that begin at this byte of the file.</summary>
    public IEnumerable<Piece> Pieces(long start) =>
        _tensors
            .Zip(
                _work,
                (tensor, work) => work(new ExternalTensor(tensor.Name, DataType.Uint8, tensor.Dims, start + tensor.Offset, tensor.Length))
            )
            .SelectMany(pieces => pieces);

    private static GgufType TypeOf(ModelFolder folder)
    {
        if (folder.BlockSize is { } block && block % 32 != 0)
        {
            throw new ModelException(
                $"{folder.Path} has quantization blocks of {block}; GGUF's are of 32, and longer ones of a multiple of that can be cut. "
                    + "Build it with --block-size 32, 64, 128 or 256."
            );
        }

        return folder.Precision switch
        {
            Precision.Fp32 => GgufType.F32,
            Precision.Fp16 => GgufType.F16,
            Precision.Int8 => GgufType.Q8,
            _ => GgufType.Q4,
        };
    }

    private void AddAll()
    {
        int hidden = Shape.HiddenSize;
        AddEmbedding();
        for (int layer = 0; layer < Shape.LayerCount; layer++)
        {
            string block = $"blk.{layer}";
            string module = $"model.layers.{layer}";
            AddVector($"{block}.attn_norm.weight", $"{module}.input_layernorm.weight", hidden);
            AddAttention(block, $"{module}.attn");
            AddVector($"{block}.ffn_norm.weight", $"{module}.post_attention_layernorm.weight", hidden);
            AddProduct($"{block}.ffn_gate", $"{module}.mlp.gate_proj", hidden, Shape.IntermediateSize, Shape.MlpBias);
            AddProduct($"{block}.ffn_up", $"{module}.mlp.up_proj", hidden, Shape.IntermediateSize, Shape.MlpBias);
            AddProduct($"{block}.ffn_down", $"{module}.mlp.down_proj", Shape.IntermediateSize, hidden, Shape.MlpBias);
        }

        AddVector("output_norm.weight", $"model.layers.{Shape.LayerCount}.final_norm_layernorm.weight", hidden);
        if (!SharesTable)
        {
            AddProduct("output", "lm_head", hidden, Shape.VocabularySize, bias: false);
        }

        if (Shape.RopeScaling is not null)
        {
            AddRopeFactors();
        }
    }

    // A tied folder for DirectML has a float16 table beside its quantized head, so llama.cpp gets both.
    private bool SharesTable => Shape.TieEmbeddings && !_weights.Has(Table);

    // Tied: the LM head's own rows, which llama.cpp takes for both.
    private void AddEmbedding()
    {
        const string Target = "token_embd.weight";
        if (SharesTable)
        {
            AddMatrix(Target, "lm_head", Shape.HiddenSize, Shape.VocabularySize, firstRow: 0, Shape.VocabularySize, rotated: 0);
            return;
        }

        OnnxTensor table = _weights.Get(Table, s_floats, Shape.VocabularySize, Shape.HiddenSize);
        Add(
            Target,
            table.Type == DataType.Float16 ? GgufType.F16 : GgufType.F32,
            [Shape.HiddenSize, Shape.VocabularySize],
            place => FloatSource.Copy(table, place)
        );
    }

    private void AddAttention(string block, string module)
    {
        (string Part, int Width, int Rotated)[] parts =
        [
            ("q", Shape.QueryWidth, Shape.HeadSize),
            ("k", Shape.KeyValueWidth, Shape.HeadSize),
            ("v", Shape.KeyValueWidth, 0),
        ];

        // DirectML's graphs have a matrix for each.
        string packed = $"{module}.qkv_proj";
        bool isPacked = _weights.Has(Weight(packed)) || _weights.Has(Packed(packed));
        int all = parts.Sum(part => part.Width);
        int first = 0;
        foreach ((string part, int width, int rotated) in parts)
        {
            string source = isPacked ? packed : $"{module}.{part}_proj";
            (int n, int row) = isPacked ? (all, first) : (width, 0);
            AddMatrix($"{block}.attn_{part}.weight", source, Shape.HiddenSize, n, row, width, rotated);
            if (Shape.AttentionBias)
            {
                AddVector($"{block}.attn_{part}.bias", $"{source}.Add.bias", n, row, width, rotated);
            }

            first += width;
        }

        AddProduct($"{block}.attn_output", $"{module}.o_proj", Shape.QueryWidth, Shape.HiddenSize, Shape.AttentionBias);
    }

    private void AddProduct(string target, string module, int k, int n, bool bias)
    {
        AddMatrix($"{target}.weight", module, k, n, firstRow: 0, n, rotated: 0);
        if (bias)
        {
            AddVector($"{target}.bias", $"{module}.Add.bias", n);
        }
    }

    private void AddMatrix(string target, string module, int k, int n, int firstRow, int rows, int rotated)
    {
        if (!IsQuantized)
        {
            OnnxTensor matrix = _weights.Get(Weight(module), s_floats, k, n);
            Add(target, Type, [k, rows], place => FloatSource.Transpose(matrix, n, new MatrixPart(place, firstRow, rows, k, rotated)));
            return;
        }

        int blocks = k / _block!.Value;
        string weight = Weight(module);
        OnnxTensor? zeroPoints = null;
        if (_weights.Has(ZeroPoints(weight)))
        {
            if (Type != GgufType.Q4Minimum)
            {
                throw new ModelException(
                    $"{Folder.Path} has {Bits}-bit weights with zero points, and GGUF has no such type. Build it without --asymmetric."
                );
            }

            zeroPoints = _weights.Get(ZeroPoints(weight), s_bytes, n, (blocks + 1) / 2);
        }

        var source = new QuantizedSource(
            _weights.Get(Packed(module), s_bytes, n, blocks, _block.Value * Bits / 8),
            _weights.Get($"{weight}_scales", s_floats, n, blocks),
            zeroPoints,
            Bits,
            _block.Value
        );
        Add(target, Type, [k, rows], place => source.Move(new MatrixPart(place, firstRow, rows, k, rotated), Type, Counts));
    }

    private void AddVector(string target, string name, int length) => AddVector(target, name, length, 0, length, rotated: 0);

    private void AddVector(string target, string name, int all, int first, int length, int rotated)
    {
        OnnxTensor vector = _weights.Get(name, s_floats, all);
        Add(target, GgufType.F32, [length], place => [FloatSource.Vector(vector, new MatrixPart(place, first, length, 1, rotated))]);
    }

    /// <summary>What llama.cpp divides each frequency by: Llama 3.1's scaling.</summary>
    private void AddRopeFactors()
    {
        float[] plain = RotaryCache.Frequencies(Shape with { RopeScaling = null });
        float[] scaled = RotaryCache.Frequencies(Shape);
        float[] factors = [.. plain.Zip(scaled, (frequency, smaller) => frequency / smaller)];
        Add("rope_freqs.weight", GgufType.F32, [factors.Length], place => [writer => writer.Write<float>(factors, place, 0)]);
    }

    private void Add(string name, GgufType type, long[] dims, Func<ExternalTensor, IEnumerable<Piece>> work)
    {
        long bytes = type.Bytes(dims.Aggregate(1L, (product, dim) => checked(product * dim)));
        _tensors.Add(new GgufTensor(name, type, dims, Length, bytes));
        _work.Add(work);
        Length = GgufReader.Padded(Length + bytes, GgufHeader.Alignment);
    }

    private static string Weight(string module) => $"{module}.MatMul.weight";

    private string Packed(string module) => $"{Weight(module)}_Q{Bits}";

    private static string ZeroPoints(string weight) => $"{weight}_zp";
}
