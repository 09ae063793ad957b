namespace Llama3Perf.Results.Rows;

/// <summary>What was measured: everything about a case that a comparison must match. Unknown is null.</summary>
public sealed record CaseKey
{
    /// <summary>Engine's name: <c>ort</c>, <c>genai</c>, <c>external:transformers</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>Versions of an external engine's parts, <c>torch 2.11.0, transformers 5.17.0</c>; null for engines inside the
    /// suite.</summary>
    public string? EngineVersions { get; init; }

    /// <summary>
    /// What the engine was told beyond model, device and threads, in one canonical text: session entries, provider options, graph
    /// optimization,
    /// a peer's options. Null: its defaults.
    /// </summary>
    public string? EngineOptions { get; init; }

    /// <summary>How the suite was built: <c>Release</c> or <c>Debug</c>.</summary>
    public string? BuildConfiguration { get; init; }

    /// <summary>Execution provider: <c>cpu</c>, <c>dml</c>, <c>cuda</c>, <c>webgpu</c>; of external engines also <c>xpu</c>,
    /// <c>mps</c>, <c>npu</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>Adapter that the provider ran on.</summary>
    public string? Device { get; init; }

    /// <summary>Model's name.</summary>
    public required string ModelName { get; init; }

    /// <summary>SHA-256 over the model's files, lowercase hexadecimal.</summary>
    public string? ModelSha256 { get; init; }

    /// <summary><c>synthetic</c> or <c>real</c>.</summary>
    public required string Weights { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public int? HiddenSize { get; init; }

    /// <summary>Decoder layers.</summary>
    public int? LayerCount { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public int? VocabularySize { get; init; }

    /// <summary><c>fp32</c>, <c>fp16</c>, <c>int8</c> or <c>int4</c>.</summary>
    public required string Precision { get; init; }

    /// <summary>Quantization block along K; null for floating point.</summary>
    public int? BlockSize { get; init; }

    /// <summary>The prompt as it was asked for, shortened for people: its text, file name or <c>ppN</c>.</summary>
    public required string PromptId { get; init; }

    /// <summary>SHA-256 over the prompt's token ids, lowercase hexadecimal.</summary>
    public string? PromptSha256 { get; init; }

    /// <summary><c>none</c>, <c>llama3</c>, <c>phi3</c> or <c>model</c>.</summary>
    public required string ChatTemplate { get; init; }

    /// <summary>Prompt tokens, BOS included.</summary>
    public int? PromptTokens { get; init; }

    /// <summary>Prompt and new tokens together.</summary>
    public required int MaxLength { get; init; }

    /// <summary>Intra-op threads.</summary>
    public int? Threads { get; init; }
}
