using System.Runtime.InteropServices;
using LLama.Exceptions;
using LLama.Native;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Inference.Machine;
using Llama3Perf.Inference.Native;
using Llama3Perf.Models;

namespace Llama3Perf.Inference.Engines.LlamaCpp;

/// <summary>
/// llama.cpp behind <see cref="IEngine"/>: one sequence, the prompt in one batch, a KV cache of the max length, logits for the last
/// position alone. Between two tokens nothing managed is allocated. The context outlives Reset as long as the max length does not change.
/// </summary>
internal sealed unsafe class LlamaCppEngine : IEngine
{
    // Prompts up to this length are computed as one piece; llama.cpp cuts longer ones, because activations of all of it would be held.
    private const int LargestPiece = 2048;

    private readonly ModelFolder _folder;
    private readonly EngineOptions _options;
    private readonly SafeLlamaModelHandle _model;
    private readonly int[] _forbidden;
    private readonly int _threads;

    // The token that is computed next, where llama.cpp reads it.
    private readonly LLamaToken* _token;
    private SafeLLamaContextHandle? _context;
    private int _maxLength;
    private int _promptLength;

    // Tokens of the sequence, the last one not yet computed; 0 when there is none that could go on.
    private int _length;

    public LlamaCppEngine(ModelFolder folder, EngineOptions options)
    {
        (_folder, _options) = (folder, options);
        _threads = options.Threads ?? PhysicalCores.Count;
        _forbidden = options.AllowEos ? [] : [.. folder.EosTokenIds.Where(id => id < folder.VocabularySize)];
        (string? device, _model) = Open(folder, options);
        _token = (LLamaToken*)NativeMemory.AllocZeroed((nuint)sizeof(LLamaToken));
        Description = new EngineDescription(LlamaCppRuntime.Name, options.Provider)
        {
            Device = device,
            Threads = _threads,
            Versions = new Dictionary<string, string>
            {
                ["ggml"] = LlamaCppLibrary.Current?.Version ?? "unknown",
                ["built for"] = LlamaCppLibrary.Instructions,
            },
            Notes = [$"KV cache {(options.KeyValueType ?? KeyValueType.F16).Name()}, flash attention {options.FlashAttention.Name()}"],
        };
        if (_model.Vocab.Count != folder.VocabularySize && _model.Vocab.Count != 0)
        {
            int count = _model.Vocab.Count;
            Dispose();
            throw new EngineException(
                $"{folder.GraphPath}: llama.cpp counts {count} tokens, its embedding has {folder.VocabularySize} rows"
            );
        }
    }

    public EngineDescription Description { get; }

    public void Reset(int maxLength)
    {
        ObjectDisposedException.ThrowIf(_model.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        if (maxLength > _folder.ContextLength)
        {
            throw new EngineException(
                $"a sequence of {maxLength} tokens is longer than the context of {_folder.ContextLength} of {_folder.Path}"
            );
        }

        _length = 0;
        if (_context is not null && _maxLength == maxLength)
        {
            _context.MemoryClear(data: false);
            return;
        }

        // The old KV cache goes before the new one comes.
        DropContext();
        _context = Create(maxLength);
        _maxLength = maxLength;
    }

    public void Prefill(ReadOnlySpan<int> prompt)
    {
        if (_context is null || _length != 0)
        {
            throw new InvalidOperationException("Prefill is called once after each Reset.");
        }

        ArgumentOutOfRangeException.ThrowIfZero(prompt.Length, nameof(prompt));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(prompt.Length, _maxLength, nameof(prompt));
        if (prompt.IndexOfAnyExceptInRange(0, _folder.VocabularySize - 1) is >= 0 and var place)
        {
            throw new EngineException($"the token {prompt[place]} is outside the vocabulary of {_folder.Path}");
        }

        fixed (int* tokens = prompt)
        {
            Compute((LLamaToken*)tokens, prompt.Length);
        }

        _length = _promptLength = prompt.Length;
    }

    public int NextToken()
    {
        int length = _length;
        if (_context is null || length == 0 || length >= _maxLength)
        {
            throw new InvalidOperationException("NextToken needs Reset and Prefill first, and room in the sequence.");
        }

        // What failed must not be continued.
        _length = 0;
        if (length > _promptLength)
        {
            Compute(_token, 1);
        }

        int token = Choose();
        *_token = token;
        _length = length + 1;
        return token;
    }

    public float[] LastLogits() =>
        _context is not null && (_length > 0 || _promptLength > 0)
            ? Logits().ToArray()
            : throw new InvalidOperationException("Nothing was computed yet.");

    public void Dispose()
    {
        DropContext();
        _model.Dispose();
        NativeMemory.Free(_token);
    }

    private static (string? Device, SafeLlamaModelHandle Model) Open(ModelFolder folder, EngineOptions options)
    {
        LLamaModelParams parameters = LLamaModelParams.Default();
        (string Name, nint Device)? device =
            options.Provider == ExecutionProvider.Cpu
                ? null
                : LlamaCppRuntime.Device(options.Provider, options.DeviceIndex ?? 0)
                    ?? throw new EngineException($"{LlamaCppRuntime.Name} has no device {options.Device} on {options.Provider.Name()}");

        // The one device and the end of the list; a list of none keeps everything on the processor.
        nint* devices = stackalloc nint[2] { device?.Device ?? 0, 0 };
        parameters.devices = devices;
        parameters.n_gpu_layers = device is null ? 0 : int.MaxValue;
        parameters.split_mode = GPUSplitMode.None;
        parameters.main_gpu = 0;
        _ = LlamaCppLibrary.TakeError();
        try
        {
            return (device?.Name, SafeLlamaModelHandle.LoadFromFile(folder.GraphPath, parameters));
        }
        catch (Exception e) when (e is RuntimeError or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new EngineException($"{folder.GraphPath}: llama.cpp cannot load it: {LlamaCppLibrary.TakeError() ?? e.Message}", e);
        }
    }

    private SafeLLamaContextHandle Create(int maxLength)
    {
        LLamaContextParams parameters = LLamaContextParams.Default();
        parameters.n_ctx = (uint)maxLength;
        parameters.n_batch = (uint)maxLength;
        parameters.n_ubatch = (uint)Math.Min(maxLength, LargestPiece);
        parameters.n_seq_max = 1;
        parameters.n_outputs_max = 1;
        parameters.n_threads = _threads;
        parameters.n_threads_batch = _threads;
        parameters.type_k = parameters.type_v = _options.KeyValueType switch
        {
            KeyValueType.F32 => GGMLType.GGML_TYPE_F32,
            KeyValueType.Int8 => GGMLType.GGML_TYPE_Q8_0,
            KeyValueType.Int4 => GGMLType.GGML_TYPE_Q4_0,
            _ => GGMLType.GGML_TYPE_F16,
        };
        parameters.llama_flash_attn_type = _options.FlashAttention switch
        {
            FlashAttention.On => LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_ENABLED,
            FlashAttention.Off => LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_DISABLED,
            _ => LLamaFlashAttentionType.LLAMA_FLASH_ATTENTION_TYPE_AUTO,
        };
        parameters.no_perf = true;

        // Not on a GPU in secret.
        parameters.op_offload = parameters.offload_kqv = _options.Provider != ExecutionProvider.Cpu;
        _ = LlamaCppLibrary.TakeError();
        try
        {
            return SafeLLamaContextHandle.Create(_model, parameters);
        }
        catch (RuntimeError e)
        {
            throw new EngineException(
                $"llama.cpp cannot make a context of {maxLength} tokens for {_folder.Path}: {LlamaCppLibrary.TakeError() ?? e.Message}",
                e
            );
        }
    }

    private void Compute(LLamaToken* tokens, int count)
    {
        // Positions go on from the cache's end, the sequence is the first, and of a batch the last token has logits.
        LLamaNativeBatch batch = new() { n_tokens = count, tokens = tokens };
        int result = LlamaCppLibrary.Decode(_context!, batch);
        if (result != 0)
        {
            _length = 0;
            throw new EngineException(
                $"llama.cpp failed with {result} in {(count == 1 ? "a token" : $"a prompt of {count} tokens")}"
                    + $"{(LlamaCppLibrary.TakeError() is { } line ? $": {line}" : "")}"
            );
        }

        // Devices compute beside the host.
        if (_options.Provider != ExecutionProvider.Cpu)
        {
            _context!.Synchronize();
        }
    }

    private int Choose()
    {
        Span<float> logits = Logits();
        foreach (int id in _forbidden)
        {
            logits[id] = float.NegativeInfinity;
        }

        int token = Argmax.Of(logits);
        return float.IsFinite(logits[token])
            ? token
            : throw new EngineException($"{_folder.Path} gives NaN or infinite logits on this provider");
    }

    private Span<float> Logits()
    {
        float* logits = LlamaCppLibrary.LastLogits(_context!);
        return logits == null
            ? throw new EngineException("llama.cpp has no logits of the last position")
            : new Span<float>(logits, _folder.VocabularySize);
    }

    private void DropContext()
    {
        _length = _promptLength = 0;
        _context?.Dispose();
        _context = null;
    }
}
