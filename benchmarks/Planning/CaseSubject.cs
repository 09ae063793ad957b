using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What is measured with each prompt and length: a model in an engine at a place.</summary>
/// <param name="Engine">Name in results.</param>
/// <param name="Provider">Name of the place in results.</param>
/// <param name="Model">The model as it was asked for.</param>
internal sealed record CaseSubject(string Engine, string Provider, string Model)
{
    /// <summary>The subject that stands for a model that cannot be opened or made: a failed row, and the other models go on.</summary>
    public static CaseSubject Broken(EngineChoice choice, string model, Exception why, PlanContext context)
    {
        ExecutionProvider provider = choice.Provider ?? ExecutionProvider.Cpu;
        return new CaseSubject(choice.Engine, choice.Provider?.ShownName() ?? "unknown", model)
        {
            ModelName = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(model)),
            IsReal = System.IO.Path.Exists(model),
            Precision = context.Options.Precisions?[0].Name() ?? "unknown",
            EngineOptions = new EngineOptions
            {
                Provider = provider,
                Threads = provider == ExecutionProvider.Cpu ? context.CpuThreads : context.Options.Threads,
            },
            Failure = why.Message,
            IsBroken = true,
        };
    }

    /// <summary>True when the model cannot be opened or made, so that nothing is known of it.</summary>
    public bool IsBroken { get; private init; }

    /// <summary>Name in results.</summary>
    public required string ModelName { get; init; }

    /// <summary>For people.</summary>
    public string Named => $"{ModelName} {Precision} on {Engine}/{Provider}";

    /// <summary>The engine; null for programs outside the suite.</summary>
    public EngineKind? Kind { get; init; }

    /// <summary>The folder that the engine computes from; null for programs that load something else, and where there is none.</summary>
    public ModelFolder? Folder { get; init; }

    /// <summary>The ONNX folder that a GGUF file was made of, which a reference on ONNX Runtime computes from; null where there is
    /// none.</summary>
    public ModelFolder? Source { get; init; }

    /// <summary>What the engine loads: a model folder, a checkpoint or a file; empty where there is none.</summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 that identifies the contents.</summary>
    public string? Sha256 { get; init; }

    public required bool IsReal { get; init; }

    public int? HiddenSize { get; init; }

    public int? LayerCount { get; init; }

    public int? VocabularySize { get; init; }

    /// <summary>Longest sequence; null where the model is not known.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Format of the weights, as results name it.</summary>
    public required string Precision { get; init; }

    public int? BlockSize { get; init; }

    /// <summary>True for quantized weights of another hand than ours: no folder of the suite holds the same numbers.</summary>
    public bool HasOwnNumbers { get; init; }

    /// <summary>Bytes of weights that a decoded token reads; null where they are not known.</summary>
    public long? WeightBytesPerToken { get; init; }

    /// <summary>Bytes of KV cache that a token of the sequence takes; null where they are not known.</summary>
    public long? CacheBytesPerToken { get; init; }

    /// <summary>How the engine loads it.</summary>
    public required EngineOptions EngineOptions { get; init; }

    /// <summary>The adapter that was asked for; null for the CPU and where none was.</summary>
    public string? Device { get; init; }

    /// <summary>Canonical text of the options that are not the usual ones; null when all are.</summary>
    public string? OptionsText { get; init; }

    /// <summary>Makes the ids of prompts; null where the subject has none of its own.</summary>
    public PromptTokenizer? Tokenizer { get; init; }

    /// <summary>True when the engine is given a prompt's text and counts its tokens itself.</summary>
    public bool TakesText { get; init; }

    /// <summary>True when only the number of a prompt's tokens reaches the engine, which draws its own.</summary>
    public bool DrawsOwnTokens { get; init; }

    /// <summary>Why no case of it can run here.</summary>
    public string? Skip { get; init; }

    /// <summary>Why its figures would be worth nothing.</summary>
    public string? Failure { get; init; }

    /// <summary>The program to start for sequences of a length; null for engines inside the suite.</summary>
    public Func<int, PeerOptions>? Peer { get; init; }

    /// <summary>The program that measures by itself; null when BenchmarkDotNet measures.</summary>
    public string? BenchProgram { get; init; }
}
