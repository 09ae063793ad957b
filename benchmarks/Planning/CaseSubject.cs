using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines.External;
using Llama3Perf.Inference.Tokenization;
using Llama3Perf.Models;

namespace Llama3Perf.Benchmarks.Planning;

/// <summary>What is measured with each prompt and length: a model in an engine at a place.</summary>
internal sealed record CaseSubject(string Engine, ExecutionProvider Provider)
{
    /// <summary>Name in results.</summary>
    public required string ModelName { get; init; }

    /// <summary>What the engine loads: a model folder, or a checkpoint for an external engine; empty where there is none.</summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 that identifies the contents.</summary>
    public string? Sha256 { get; init; }

    public required bool IsReal { get; init; }

    public int? HiddenSize { get; init; }

    public int? LayerCount { get; init; }

    public int? VocabularySize { get; init; }

    /// <summary>Longest sequence; null where the model is not known.</summary>
    public int? ContextLength { get; init; }

    public required Precision Precision { get; init; }

    public int? BlockSize { get; init; }

    /// <summary>The precision as tables show it.</summary>
    public required string Label { get; init; }

    /// <summary>Makes the ids of prompts; null where there is no model.</summary>
    public PromptTokenizer? Tokenizer { get; init; }

    /// <summary>Why no case of it can run here.</summary>
    public string? Skip { get; init; }

    /// <summary>Why its figures would be worth nothing.</summary>
    public string? Failure { get; init; }

    /// <summary>The program to start for sequences of a length; null for engines inside the suite.</summary>
    public Func<int, PeerOptions>? Peer { get; init; }
}
