using Llama3Perf.Models;

namespace Llama3Perf.Inference.Tests.Verification;

/// <summary>A model with a vocabulary of four whose logits are a function of the sequence. It refuses to go on after an EOS token, as
/// engines may.</summary>
internal sealed class TableEngine(Func<int[], float[]> logits) : IEngine
{
    public const int Eos = 3;

    private readonly List<int> _tokens = [];
    private float[]? _last;
    private bool _isPicked;
    private int _maxLength;

    public static ModelFolder Folder { get; } =
        new()
        {
            Path = "/models/table",
            Name = "table",
            GraphPath = "/models/table/model.onnx",
            IsSynthetic = true,
            Precision = Precision.Fp32,
            BlockSize = null,
            Family = GraphFamily.Standard,
            ContextLength = 64,
            VocabularySize = 4,
            HiddenSize = 8,
            LayerCount = 1,
            HeadCount = 1,
            KeyValueHeadCount = 1,
            HeadSize = 8,
            BosTokenId = null,
            EosTokenIds = [Eos],
            Names = new DecoderNames(),
            WeightBytes = 1,
        };

    public int Prefills { get; private set; }

    public EngineDescription Description { get; } = new("table", ExecutionProvider.Cpu);

    public void Reset(int maxLength)
    {
        _tokens.Clear();
        (_maxLength, _isPicked) = (maxLength, false);
    }

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        Prefills++;
        _tokens.AddRange(prompt.ToArray());
        _last = logits([.. _tokens]);
    }

    public int NextToken()
    {
        Assert.True(_tokens.Count < _maxLength, "asked for a token beyond max length");
        Assert.False(_isPicked && _tokens[^1] == Eos, "asked for a token after EOS");
        if (_isPicked)
        {
            _last = logits([.. _tokens]);
        }

        if (_last!.Any(float.IsNaN))
        {
            throw new EngineException("NaN");
        }

        _isPicked = true;
        _tokens.Add(Array.IndexOf(_last!, _last!.Max()));
        return _tokens[^1];
    }

    public float[] LastLogits() => [.. _last!];

    public void Dispose() { }
}
