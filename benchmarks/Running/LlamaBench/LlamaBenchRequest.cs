namespace Llama3Perf.Benchmarks.Running.LlamaBench;

/// <summary>What llama-bench is asked to measure, and the command lines for it.</summary>
/// <param name="Gguf">The model's file.</param>
/// <param name="PromptTokens">Prompt tokens, at least 1.</param>
/// <param name="NewTokens">New tokens, at least 1.</param>
/// <param name="Threads">Threads, or null for its own choice.</param>
/// <param name="Iterations">Repetitions of each test.</param>
internal sealed record LlamaBenchRequest(string Gguf, int PromptTokens, int NewTokens, int? Threads, int Iterations)
{
    /// <summary>The prompt alone.</summary>
    public IReadOnlyList<string> Prefill => [.. Common, "-p", $"{PromptTokens}", "-n", "0"];

    /// <summary>New tokens after as many tokens as the prompt has.</summary>
    public IReadOnlyList<string> Decode => [.. DecodeFromNothing, "-d", $"{PromptTokens}"];

    /// <summary>New tokens from an empty context, for versions that know nothing else.</summary>
    public IReadOnlyList<string> DecodeFromNothing => [.. Common, "-p", "0", "-n", $"{NewTokens}"];

    private string[] Common => ["-m", Gguf, "-r", $"{Iterations}", "-o", "json", .. Threads is { } threads ? ["-t", $"{threads}"] : Array.Empty<string>()];
}
