using Llama3Perf.Inference.Machine;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.External;

/// <summary>
/// A model loaded by another program, which generates and reads its own clock. Its answers are checked, and the time of each request is
/// measured here too: <see cref="GenerationResult.ClockDisagreementMs"/>. Not for several threads.
/// </summary>
public sealed class ExternalGenerator : IGenerator
{
    private readonly PeerProcess _peer;
    private readonly PeerOptions _options;
    private readonly LoadResult _model;

    /// <summary>Starts the program and loads a model. The program ends with this object, with its process at the latest.</summary>
    /// <param name="modelFolder">Folder of the model, in the form that the program reads; seen from the options' folder.</param>
    /// <param name="options">The program and how it loads.</param>
    /// <exception cref="EngineException">The program does not start, is no peer, or cannot load the model.</exception>
    public ExternalGenerator(string modelFolder, PeerOptions options)
    {
        _options = options;
        _peer = new PeerProcess(options);
        try
        {
            _model = Load(Path.GetFullPath(modelFolder, options.Directory));
            Description = Describe();
        }
        catch
        {
            _peer.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public EngineDescription Description { get; private set; }

    /// <summary>Ids that the model can take and give: 0 up to this.</summary>
    public int VocabSize => _model.VocabSize;

    /// <summary>False when the program has ended, or was killed for what it did.</summary>
    public bool Serves => _peer.Serves;

    internal int ProcessId => _peer.Id;

    /// <summary>Token ids of a text, by the program's own tokenizer.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addBos">True puts the BOS token before it.</param>
    /// <exception cref="EngineException">The program failed.</exception>
    public int[] Encode(string text, bool addBos)
    {
        int[] ids = _peer
            .Call(
                "encode",
                new EncodeParams(text, addBos),
                PeerJson.Default.PeerRequestEncodeParams,
                PeerJson.Default.EncodeResult,
                _options.Limits.Other
            )
            .Result.Ids;
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)VocabSize)
            {
                throw _peer.Abort($"encoded a text with the token {id}, and its vocabulary has {VocabSize}");
            }
        }

        return ids;
    }

    /// <summary>Adds to the description what a reader of the numbers must know.</summary>
    public void Note(string note) => Description = Description with { Notes = [.. Description.Notes ?? [], note] };

    /// <inheritdoc/>
    public GenerationResult Generate(ReadOnlySpan<int> prompt, int maxLength) => Generate(prompt, maxLength, lastLogits: null);

    /// <inheritdoc/>
    public GenerationResult GenerateShown(ReadOnlySpan<int> prompt, int maxLength) => Generate(prompt, maxLength, lastLogits: true);

    /// <inheritdoc/>
    public void Dispose() => _peer.Dispose();

    private GenerationResult Generate(ReadOnlySpan<int> prompt, int maxLength, bool? lastLogits)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(maxLength, prompt.Length);
        Refuse(prompt, maxLength);
        int newTokens = maxLength - prompt.Length;
        DateTimeOffset startUtc = DateTimeOffset.UtcNow;
        PeerReply<GenerateResult> reply = _peer.Call(
            "generate",
            new GenerateParams(prompt.ToArray(), newTokens, IgnoreEos: true) { LastLogits = lastLogits },
            PeerJson.Default.PeerRequestGenerateParams,
            PeerJson.Default.GenerateResult,
            _options.Limits.Generate
        );
        if (PeerAnswerRules.WhyWrong(reply.Result, newTokens, _model) is { } reason)
        {
            throw _peer.Abort(reason);
        }

        return PeerAnswerRules.ToResult(reply, prompt.Length, startUtc);
    }

    private LoadResult Load(string modelFolder)
    {
        string device = _options.Device.Name();
        string precision = _options.Precision.Name();
        LoadParams parameters = new(
            modelFolder,
            _options.Backend,
            device,
            precision,
            _options.Threads,
            _options.MaxLength,
            _options.Options
        );
        LoadResult model = _peer
            .Call("load", parameters, PeerJson.Default.PeerRequestLoadParams, PeerJson.Default.LoadResult, _options.Limits.Load)
            .Result;
        if (model.Device != device)
        {
            throw _peer.Abort($"was asked for the device {device} and loaded on '{ProgramText.OneLine(model.Device)}'");
        }

        // Frameworks count adapters in orders of their own.
        if (model.DeviceName is { } told && _options.DeviceName is { } chosen && !DeviceSelector.AreOne(chosen, told))
        {
            throw _peer.Abort(
                $"was given the number of '{ProgramText.OneLine(chosen)}' and loaded on '{ProgramText.OneLine(told)}': it counts adapters "
                    + "in another order; --peer-option device_index=N takes its own number"
            );
        }

        // One of its own options may say more exactly what the weights become; then it says so in its answer.
        if (model.Precision != precision && _options.Options.Count == 0)
        {
            throw _peer.Abort($"was asked for {precision} and loaded '{ProgramText.OneLine(model.Precision)}'");
        }

        if (model.VocabSize <= 0)
        {
            throw _peer.Abort($"told a vocabulary of {model.VocabSize} tokens");
        }

        return model;
    }

    private void Refuse(ReadOnlySpan<int> prompt, int maxLength)
    {
        if (maxLength > _options.MaxLength)
        {
            throw new EngineException(
                $"external:{_options.Backend} loaded the model for sequences of {_options.MaxLength} tokens, not {maxLength}"
            );
        }

        foreach (int id in prompt)
        {
            if ((uint)id >= (uint)VocabSize)
            {
                throw new EngineException(
                    $"external:{_options.Backend}: the prompt's token {id} is outside the model's vocabulary of {VocabSize}; prompt and "
                        + "model belong to different tokenizers"
                );
            }
        }
    }

    private EngineDescription Describe()
    {
        Dictionary<string, string> versions = new() { ["peer"] = _peer.Program };
        foreach ((string name, string? version) in _model.Versions ?? new Dictionary<string, string>())
        {
            versions[ProgramText.OneLine(name)] = ProgramText.OneLine(version ?? "");
        }

        List<string> notes = [.. (_model.Warnings ?? []).Select(warning => ProgramText.OneLine(warning ?? ""))];
        if (_model.KvCache is { } cache and not "static")
        {
            notes.Add($"{ProgramText.OneLine(cache)} KV cache");
        }

        return new EngineDescription($"external:{_options.Backend}", _options.Device)
        {
            Device = _model.DeviceName is { } device ? ProgramText.OneLine(device) : null,
            Threads = _options.Threads,
            Precision = ProgramText.OneLine(_model.Precision),
            Versions = versions,
            Notes = notes.Count > 0 ? notes : null,
        };
    }
}
