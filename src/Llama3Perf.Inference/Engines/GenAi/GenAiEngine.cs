using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.GenAi;

/// <summary>
/// ONNX Runtime GenAI behind <see cref="IEngine"/>: a generator for each sequence, or one that is rewound, <c>AppendTokens</c> for the
/// prompt, <c>GenerateNextToken</c> and <c>GetNextTokens</c> for each token; nothing managed is allocated between them.
/// </summary>
internal sealed unsafe class GenAiEngine : IEngine
{
    private readonly OgaModel _model;
    private OgaGeneratorParams? _parameters;
    private OgaGenerator? _generator;
    private readonly bool _allowEos;
    private readonly string _logits;
    private readonly int _vocabularySize;
    private readonly bool _sharesBuffers;
    private readonly Speculation? _speculation;
    private readonly int? _prefillChunk;
    private readonly bool _rewinds;
    private int _maxLength;

    // Tokens in the sequence; 0 while there is no prompt, and after a failed call, whose sequence must not be continued.
    private int _length;

    /// <param name="folder">The model.</param>
    /// <param name="options">How to load it.</param>
    /// <param name="elsewhere">Why its nodes are known not to run on the provider; null when they do.</param>
    /// <param name="profile">Where ONNX Runtime's profile begins to be written, until the model is closed; null for none.</param>
    public GenAiEngine(ModelFolder folder, EngineOptions options, string? elsewhere = null, string? profile = null)
    {
        int threads = options.Threads ?? PhysicalCores.Count;
        if (options.Speculation is not null)
        {
            OgaSpeculation.Require();
        }

        using (OgaConfig config = GenAiConfig.Open(folder.Path, options, threads, profile))
        {
            _model = OgaModel.Create(config);
        }

        string wanted = GenAiProvider.Of(options.Provider)?.DeviceType ?? "CPU";
        string device;
        try
        {
            device = _model.DeviceType();
        }
        catch
        {
            _model.Dispose();
            throw;
        }

        Description = new EngineDescription("genai", options.Provider)
        {
            Threads = threads,
            PlacementWarning = device == wanted ? elsewhere : $"onnxruntime-genai placed the model on {device}, not on {wanted}",
            Notes = OwnOptions(folder, options),
        };
        (_speculation, _prefillChunk) = (options.Speculation, options.PrefillChunk);
        _allowEos = options.AllowEos;
        (_logits, _vocabularySize, _sharesBuffers) = (folder.Names.Logits, folder.VocabularySize, folder.SharesBuffers);
        // A rewound generator would go on counting its drafts.
        _rewinds = options.Speculation is null && (GenAiProvider.Of(options.Provider)?.Rewinds ?? true);
        GenAiRuntime.Add(this);
    }

    public EngineDescription Description { get; }

    public DraftCounts? Drafts => _speculation is null || _generator is null ? null : OgaSpeculation.Counts(_generator);

    public void Reset(int maxLength)
    {
        ObjectDisposedException.ThrowIf(_model.IsClosed, this);
        if (_rewinds && _length > 0 && maxLength == _maxLength && Rewind())
        {
            return;
        }

        // The old KV cache goes before the new one comes.
        DropGenerator();

        _parameters = OgaGeneratorParams.Create(_model);
        _parameters.Set("max_length", maxLength);
        // The number of new tokens is fixed: below min_length the library takes no EOS.
        _parameters.Set("min_length", _allowEos ? 0 : maxLength);
        _parameters.Set("batch_size", 1);
        _parameters.Set("num_beams", 1);
        _parameters.Set("num_return_sequences", 1);
        _parameters.Set("do_sample", false);
        _parameters.Set("repetition_penalty", 1);
        _parameters.Set("no_repeat_ngram_size", 0);
        _parameters.Set("past_present_share_buffer", _sharesBuffers);
        // Greedy search draws nothing, but without a seed each generator seeds its random numbers from the system: 12 ms instead of 0.3.
        _parameters.Set("random_seed", 1);
        if (_prefillChunk is { } chunk)
        {
            _parameters.Set("chunk_size", chunk);
        }

        if (_speculation is not null)
        {
            OgaSpeculation.Set(_parameters, _speculation);
        }

        _generator = OgaGenerator.Create(_model, _parameters);
        _maxLength = maxLength;
    }

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        if (_generator is null || _length != 0)
        {
            throw new InvalidOperationException(
                "Prefill is called once after each Reset: DirectML computes a second part of a prompt wrongly."
            );
        }

        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(prompt.Length, _maxLength, nameof(prompt));
        fixed (int* tokens = prompt)
        {
            Oga.Check(Oga.OgaGenerator_AppendTokens(_generator, tokens, (nuint)prompt.Length));
        }

        _length = prompt.Length;
    }

    public int NextToken()
    {
        int length = _length;
        // At max_length the library would write behind its sequence buffer.
        if (_generator is null || length == 0 || length >= _maxLength)
        {
            throw new InvalidOperationException(
                length == 0 ? "NextToken needs Reset and Prefill first." : $"The sequence holds all of its {_maxLength} tokens."
            );
        }

        _length = 0;
        Oga.Check(Oga.OgaGenerator_GenerateNextToken(_generator));
        Oga.Check(Oga.OgaGenerator_GetNextTokens(_generator, out int* tokens, out nuint count));
        if (count != 1)
        {
            throw new EngineException($"OgaGenerator_GetNextTokens: {count} tokens for one sequence");
        }

        _length = length + 1;
        return *tokens;
    }

    public float[] LastLogits()
    {
        if (_generator is null || _length == 0)
        {
            throw new InvalidOperationException("Nothing was computed yet.");
        }

        using OgaTensor logits = OgaTensor.Output(_generator, _logits);
        return logits.LastRow(_vocabularySize);
    }

    public void Dispose()
    {
        DropGenerator();
        _model.Dispose();
        GenAiRuntime.Remove(this);
    }

    private static string[]? OwnOptions(ModelFolder folder, EngineOptions options) =>
        GenAiConfig.OwnOptions(folder.Path, options) is { Count: > 0 } own
            ? [$"genai_config.json's own options apply: {string.Join(", ", own.Select(option => $"{option.Key}={option.Value}"))}"]
            : null;

    private bool Rewind()
    {
        nint failure = Oga.OgaGenerator_RewindTo(_generator!, 0);
        _length = 0;
        if (failure != 0)
        {
            Oga.OgaDestroyResult(failure);
        }

        return failure == 0;
    }

    private void DropGenerator()
    {
        _length = 0;
        _generator?.Dispose();
        _generator = null;
        _parameters?.Dispose();
        _parameters = null;
    }
}
