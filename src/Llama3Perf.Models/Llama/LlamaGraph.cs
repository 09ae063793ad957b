using System.Globalization;
using Llama3Perf.Models.Onnx;
using Llama3Perf.Models.Weights;
using static Llama3Perf.Models.Onnx.TensorProto.Types;

namespace Llama3Perf.Models.Llama;

/// <summary>
/// The Llama-3 decoder as ONNX Runtime wants it: fused norms, GroupQueryAttention over a KV cache, weights in one data file.
/// Node for node the graph of ONNX Runtime GenAI's builder; it differs where that one holds weights twice (tied embeddings).
/// </summary>
internal sealed class LlamaGraph
{
    private const string Batch = "batch_size";
    private const string Sequence = "sequence_length";
    private const string Head = "/lm_head";

    private readonly GraphWriter _graph = new();
    private readonly LlamaShape _shape;
    private readonly ModelBuildOptions _options;
    private readonly DataLayout _data;
    private readonly LinearLayers _linear;
    private readonly DecoderNames _names;

    private LlamaGraph(LlamaShape shape, ModelBuildOptions options, IWeightSource weights, DataLayout data)
    {
        (_shape, _options, _data) = (shape, options, data);
        _linear = new LinearLayers(_graph, data, weights, options);
        _names = Names(options.Target);
    }

    private bool DirectML => _options.Target == GraphTarget.DirectML;

    /// <summary>The graph, and the layout of its data file with the work that fills it. Makes no weights.</summary>
    public static (ModelProto Model, DataLayout Data) Create(
        LlamaShape shape,
        ModelBuildOptions options,
        IWeightSource weights,
        string dataFileName
    )
    {
        var data = new DataLayout(dataFileName);
        return (new LlamaGraph(shape, options, weights, data).Write(), data);
    }

    /// <summary>Inputs and outputs: only DirectML's graph takes positions.</summary>
    public static DecoderNames Names(GraphTarget target) => new() { PositionIds = target == GraphTarget.DirectML ? "position_ids" : null };

    private ModelProto Write()
    {
        InputsAndOutputs();
        RotaryCaches();
        AttentionLengths lengths = Lengths();
        _linear.Weights(Head, _shape.HiddenSize, _shape.VocabularySize);

        string residual = _shape.TieEmbeddings
            ? _linear.TiedEmbedding(Head, _names.InputIds, _shape.VocabularySize, _shape.HiddenSize)
            : _linear.Embedding(_names.InputIds, _shape.VocabularySize, _shape.HiddenSize);
        string normed = FirstNorm("/model/layers.0/input_layernorm", residual);
        for (int layer = 0; layer < _shape.LayerCount; layer++)
        {
            string path = $"/model/layers.{layer}";
            (normed, residual) = AddAndNorm(
                $"{path}/post_attention_layernorm",
                residual,
                Attention(layer, $"{path}/attn", normed, lengths)
            );
            string next = layer + 1 < _shape.LayerCount ? "input_layernorm" : "final_norm_layernorm";
            (normed, residual) = AddAndNorm($"/model/layers.{layer + 1}/{next}", residual, Mlp($"{path}/mlp", normed));
        }

        _linear.Product(
            Head,
            _options.PruneLmHead ? LastPosition(normed) : normed,
            _shape.HiddenSize,
            _shape.VocabularySize,
            _names.Logits
        );
        return _graph.ToModel();
    }

    private void InputsAndOutputs()
    {
        _graph.Input(_names.InputIds, DataType.Int64, Batch, Sequence);
        _graph.Input(_names.AttentionMask, DataType.Int64, Batch, "total_sequence_length");
        if (_names.PositionIds is { } positions)
        {
            _graph.Input(positions, DataType.Int64, Batch, Sequence);
        }

        _graph.Output(_names.Logits, _linear.Float, Batch, _options.PruneLmHead ? 1 : Sequence, _shape.VocabularySize);
        for (int layer = 0; layer < _shape.LayerCount; layer++)
        {
            foreach (string past in (string[])[_names.PastKey, _names.PastValue])
            {
                _graph.Input(Of(past, layer), _linear.Float, Batch, _shape.KeyValueHeadCount, "past_sequence_length", _shape.HeadSize);
            }

            foreach (string present in (string[])[_names.PresentKey, _names.PresentValue])
            {
                _graph.Output(Of(present, layer), _linear.Float, Batch, _shape.KeyValueHeadCount, "total_sequence_length", _shape.HeadSize);
            }
        }
    }

    private void RotaryCaches()
    {
        var cache = new RotaryCache(_shape);
        bool half = _linear.Float == DataType.Float16;
        long[] dims = [_shape.ContextLength, _shape.HeadSize / 2];
        Add("cos_cache", (chunk, firstByte) => cache.FillCos(chunk, firstByte, half));
        Add("sin_cache", (chunk, firstByte) => cache.FillSin(chunk, firstByte, half));

        void Add(string name, ChunkFill fill)
        {
            ExternalTensor place = _data.Add(name, _linear.Float, dims);
            _graph.Initializer(_data.Initializer(place));
            _data.Fill(Chunks.Of(place, fill));
        }
    }

    /// <summary>What the attention wants to know of the mask: index of the last token of each sequence, and the longest length.</summary>
    private AttentionLengths Lengths()
    {
        const string path = "/model/attn_mask_reformat/attn_mask_subgraph";
        string one = _graph.Constant(1);
        if (_options.Target == GraphTarget.WebGpu)
        {
            // Shape always runs on the CPU; the sum of the mask's ones is the same length, computed on the device.
            string ones = _graph.Standard("Cast", $"{path}/Cast", [_names.AttentionMask], ("to", (int)DataType.Int32));
            string counts = _graph.Standard("ReduceSum", $"{path}/ReduceSum", [ones, one], ("keepdims", 0));
            return new AttentionLengths(
                _graph.Standard("Sub", $"{path}/Sub", [counts, _graph.Int32Constant(1)]),
                _graph.Standard("ReduceMax", $"{path}/ReduceMax", [counts], ("keepdims", 0))
            );
        }

        string sum = _graph.Standard("ReduceSum", $"{path}/ReduceSum", [_names.AttentionMask, one], ("keepdims", 0));
        string last = _graph.Standard("Sub", $"{path}/Sub", [sum, one]);
        string shape = _graph.Standard("Shape", $"{path}/Shape", [_names.AttentionMask]);
        string total = _graph.Standard("Gather", $"{path}/Gather", [shape, _graph.Constant(1, scalar: true)], ("axis", 0));
        return new AttentionLengths(
            _graph.Standard("Cast", $"{path}/Sub/Cast", [last], ("to", (int)DataType.Int32)),
            _graph.Standard("Cast", $"{path}/Gather/Cast", [total], ("to", (int)DataType.Int32))
        );
    }

    private string Attention(int layer, string path, string input, AttentionLengths lengths)
    {
        string[] past = [Of(_names.PastKey, layer), Of(_names.PastValue, layer), lengths.LastIndex, lengths.Total];
        string[] inputs;
        if (DirectML)
        {
            string query = Rotate($"{path}/q_rotary", Projection($"{path}/q_proj", _shape.QueryWidth));
            string key = Rotate($"{path}/k_rotary", Projection($"{path}/k_proj", _shape.KeyValueWidth));
            inputs = [query, key, Projection($"{path}/v_proj", _shape.KeyValueWidth), .. past];
        }
        else
        {
            string packed = Projection($"{path}/qkv_proj", _shape.QueryWidth + (2 * _shape.KeyValueWidth));
            inputs = [packed, "", "", .. past, "cos_cache", "sin_cache"];
        }

        string attention = _graph.Contrib(
            "GroupQueryAttention",
            $"{path}/GroupQueryAttention",
            inputs,
            [$"{path}/GroupQueryAttention/output_0", Of(_names.PresentKey, layer), Of(_names.PresentValue, layer)],
            ("num_heads", _shape.HeadCount),
            ("kv_num_heads", _shape.KeyValueHeadCount),
            ("scale", (float)(1 / Math.Sqrt(_shape.HeadSize))),
            ("local_window_size", -1),
            ("softcap", 0f),
            ("do_rotary", DirectML ? 0 : 1),
            ("rotary_interleaved", 0)
        );
        return _linear.MatMul($"{path}/o_proj", attention, _shape.QueryWidth, _shape.HiddenSize, _shape.AttentionBias);

        string Projection(string module, int width) => _linear.MatMul(module, input, _shape.HiddenSize, width, _shape.AttentionBias);
    }

    private string Rotate(string path, string input) =>
        _graph.Contrib(
            "RotaryEmbedding",
            $"{path}/RotaryEmbedding",
            [input, _names.PositionIds!, "cos_cache", "sin_cache"],
            ("interleaved", 0),
            ("num_heads", 0),
            ("rotary_embedding_dim", 0)
        );

    /// <summary>down(silu(gate(x)) * up(x)).</summary>
    private string Mlp(string path, string input)
    {
        string gate = _linear.MatMul($"{path}/gate_proj", input, _shape.HiddenSize, _shape.IntermediateSize, _shape.MlpBias);
        string up = _linear.MatMul($"{path}/up_proj", input, _shape.HiddenSize, _shape.IntermediateSize, _shape.MlpBias);
        string sigmoid = _graph.Standard("Sigmoid", $"{path}/act_fn/Sigmoid", [gate]);
        string silu = _graph.Standard("Mul", $"{path}/act_fn/Mul", [gate, sigmoid]);
        string product = _graph.Standard("Mul", $"{path}/Mul", [silu, up]);
        return _linear.MatMul($"{path}/down_proj", product, _shape.IntermediateSize, _shape.HiddenSize, _shape.MlpBias);
    }

    private string FirstNorm(string path, string input) =>
        _graph.Node(
            "",
            "SimplifiedLayerNormalization",
            $"{path}/LayerNorm",
            [input, _linear.Norm(path, _shape.HiddenSize)],
            [$"{path}/output_0"],
            ("epsilon", _shape.RmsNormEpsilon),
            ("axis", -1),
            ("stash_type", 1)
        );

    /// <summary>residual + update, and its norm.</summary>
    private (string Normed, string Sum) AddAndNorm(string path, string residual, string update)
    {
        string weight = _linear.Norm(path, _shape.HiddenSize);
        string sum = $"{path}/output_3";
        bool final = path.EndsWith("final_norm_layernorm", StringComparison.Ordinal);
        string normed = _graph.Contrib(
            "SkipSimplifiedLayerNormalization",
            $"{path}/SkipLayerNorm",
            [residual, update, weight],
            final ? [$"{path}/output_0"] : [$"{path}/output_0", "", "", sum],
            ("epsilon", _shape.RmsNormEpsilon)
        );
        return (normed, sum);
    }

    /// <summary>[batch, sequence, hidden] to [batch, 1, hidden]: prefill needs the logits of its last token only.</summary>
    private string LastPosition(string input)
    {
        string last = _graph.Standard("Gather", $"{Head}/prune/Gather", [input, _graph.Constant(-1, scalar: true)], ("axis", 1));
        return _graph.Standard("Unsqueeze", $"{Head}/prune/Unsqueeze", [last, _graph.Constant(1)]);
    }

    private static string Of(string name, int layer) =>
        name.Replace("%d", layer.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);

    /// <param name="LastIndex">int32 [batch]: length - 1.</param>
    /// <param name="Total">int32 scalar: longest length, or the mask's width.</param>
    private sealed record AttentionLengths(string LastIndex, string Total);
}
